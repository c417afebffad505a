"""The contract's shapes, made from the state."""

from __future__ import annotations

import hashlib

from simulator.crm_servers.answers import Json
from simulator.crm_servers.chain import chain_status
from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate
from simulator.deployment import Deployment, Server, Service, TokenIssuer

SCRIPT_SHA256 = hashlib.sha256(b"CertificateReconfiguration.ps1").hexdigest().upper()
SCRIPT_SIGNER = "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US"


def server_shape(server: Server, run_as_kind: str) -> Json:
    """Server."""
    is_crm = any(role != "Other" for role in server.roles)
    present = server.script_present
    script = {
        "Present": present,
        "Sha256": SCRIPT_SHA256 if present else None,
        "Signature": server.script_signature if present else None,
        "Signer": SCRIPT_SIGNER if present else None,
    }
    return {
        "ModuleVersion": server.module_version,
        "ModuleSha256": server.module_sha256,
        "Fqdn": server.fqdn,
        "Domain": server.domain,
        "OsVersion": server.os_version,
        "PSVersion": "5.1.17763.6893",
        "RunAsIdentity": server.run_as_identity,
        "RunAsKind": run_as_kind,
        "CrmVersion": server.version if is_crm else None,
        "Roles": list(server.roles),
        "SnapInRegistered": "DeploymentTools" in server.roles,
        "CertificateScript": script,
        "Services": [service_shape(service) for service in server.services],
        "AppPools": [service_shape(pool) for pool in server.app_pools],
        "StrongCrypto": server.strong_crypto,
        "Tls12Client": server.tls12_client,
        "PendingReboot": server.pending_reboot,
        "TransferFiles": server.transfer_files,
        "LastChangeUtc": server.last_change,
    }


def service_shape(service: Service) -> Json:
    """Service; an application pool has the same fields."""
    is_up = service.state != "Stopped"
    return {
        "Service": service.service,
        "Name": service.name,
        "State": service.state,
        "StartMode": service.start_mode,
        "Account": service.account,
        "Sid": service.sid,
        "AccountKind": service.account_kind,
        "StartedAtUtc": service.started_at if is_up else None,
        "ProcessId": service.process_id if is_up else 0,
    }


def restart_shape(service: Service) -> Json:
    """What Restart-SssService says before and after."""
    whole = service_shape(service)
    return {name: whole[name] for name in ("Name", "State", "StartedAtUtc", "ProcessId")}


def certificate_shape(
    certificate: StoredCertificate, server: Server, deployment: Deployment
) -> Json:
    """Certificate."""
    status = chain_status(certificate, deployment.trusted_issuers)
    found = server.found_by_subject(certificate.subject)
    return {
        "Thumbprint": certificate.thumbprint,
        "Sha256": certificate.sha256,
        "Subject": certificate.subject,
        "Issuer": certificate.issuer,
        "SerialNumber": certificate.serial_number,
        "NotBeforeUtc": certificate.not_before,
        "NotAfterUtc": certificate.not_after,
        "Archived": certificate.archived,
        "HasPrivateKey": certificate.has_private_key,
        "KeyAlgorithm": certificate.key_algorithm,
        "KeyBits": certificate.key_bits,
        "KeyStorage": certificate.key_storage if certificate.has_private_key else "None",
        "ProviderName": certificate.provider_name,
        "ProviderType": certificate.provider_type,
        "KeySpec": certificate.key_spec,
        "Exportable": certificate.exportable,
        "KeyReaders": [reader_shape(reader) for reader in certificate.key_readers],
        "ChainOk": not status,
        "ChainStatus": status,
        "FoundBySubject": [other.thumbprint for other in found],
        "IisBindings": list(certificate.iis_bindings),
        "RawBase64": certificate.raw_base64,
    }


def reader_shape(reader: KeyReader) -> Json:
    """KeyReader."""
    return {
        "Account": reader.account,
        "Sid": reader.sid,
        "Rights": reader.rights,
        "AddedByPortal": reader.added_by_portal,
    }


def readers_shape(certificate: StoredCertificate) -> Json:
    """What Set-SssKeyReader says before and after."""
    return {"KeyReaders": [reader_shape(reader) for reader in certificate.key_readers]}


def token_issuer_shape(issuer: TokenIssuer | None) -> Json | None:
    """TokenIssuer, or null where the configuration database has no such row."""
    if issuer is None:
        return None
    return {
        "Id": issuer.id,
        "Name": issuer.name,
        "StoreName": issuer.store_name,
        "StoreLocation": issuer.store_location,
        "StoreFindType": issuer.store_find_type,
        "Thumbprint": issuer.thumbprint,
        "Sha256": issuer.sha256,
        "RawBase64": issuer.raw_base64,
    }


def authorization_server_shape(deployment: Deployment) -> Json:
    """The two ServerSettings; '' where not set."""
    return {
        "S2SDefaultAuthorizationServerPrincipalId": deployment.authorization_server_principal_id,
        "S2SDefaultAuthorizationServerMetadataUrl": deployment.authorization_server_metadata_url,
    }


def deployment_shape(deployment: Deployment, run_as: str, organization_id: str) -> Json:
    """Deployment; tenant ids only for the organization that was asked for."""
    return {
        "DeploymentServiceUrl": deployment.service_url,
        "RunAsIdentity": run_as,
        "Servers": [
            {
                "Id": server.id,
                "Name": server.name,
                "Roles": list(server.roles),
                "State": server.state,
                "Version": server.version,
            }
            for server in deployment.servers
        ],
        "Organizations": [
            {
                "Id": organization.id,
                "UniqueName": organization.unique_name,
                "FriendlyName": organization.friendly_name,
                "State": organization.state,
                "Version": organization.version,
                "S2STenantId": organization.tenant_id
                if organization.id == organization_id
                else None,
            }
            for organization in deployment.organizations
        ],
        "TokenIssuer": token_issuer_shape(deployment.token_issuer),
        "TokenIssuerCount": deployment.token_issuer_count,
        **authorization_server_shape(deployment),
        "ClaimsEnabled": deployment.claims_enabled,
        "IfdEnabled": deployment.ifd_enabled,
        "OAuthEnabled": deployment.oauth_enabled,
    }
