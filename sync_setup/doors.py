"""Open the gateways to outside systems with the connection secrets of this installation. In workers only."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from portal.errors import BadInput
from portal.vault.actions import open_secret
from portal.vault.models import Secret
from sync_setup.gateways.clouds import Cloud
from sync_setup.gateways.crm_server import CrmServer as ServerGateway
from sync_setup.gateways.dynamics import Dynamics
from sync_setup.gateways.dynamics_sign_in import DynamicsCredential, DynamicsTarget
from sync_setup.gateways.identifiers import AppId, Sha256
from sync_setup.gateways.remoting import Endpoint
from sync_setup.gateways.remoting_sign_in import CertificateSignIn, PasswordSignIn, SignIn
from sync_setup.gateways.route import Route
from sync_setup.gateways.tokens import AppTokens, EntraApp
from sync_setup.models import CrmServer, Deployment, EntraTenant, Organization


def entra_tokens(cloud: Cloud, tenant: EntraTenant) -> AppTokens:
    """Give a source of tokens of the tenant's setup app.

    :raises BadInput: when no setup app was given.
    """
    if tenant.client_id is None or tenant.credential is None:
        raise BadInput(
            f"The tenant {tenant.name} has no setup app.",
            remedy="Give client id and secret (or certificate) of the setup app on the tenant's page.",
            code="SSS-NO-SETUP-APP",
        )
    app_id = AppId(str(tenant.client_id))
    opened = open_secret(tenant.credential)
    if tenant.access == EntraTenant.Access.CERTIFICATE:
        certificate, key = split_pem(opened.reveal())
        app = EntraApp(app_id, certificate_pem=certificate, private_key_pem=key)
    else:
        app = EntraApp(app_id, secret=opened.text())
    return AppTokens(cloud, str(tenant.tenant_id), app)


def crm_server(deployment: Deployment, server: CrmServer) -> ServerGateway:
    """Open the JEA endpoint of one CRM server."""
    return ServerGateway(
        server.name,
        Endpoint(server.host, server.port, route=_route(deployment)),
        _winrm_sign_in(deployment),
        module_sha256=Sha256(server.module_sha256) if server.module_sha256 else None,
    )


def dynamics(deployment: Deployment, organization: Organization) -> Dynamics:
    """Open the Web API of one organization."""
    return Dynamics(
        DynamicsTarget(
            deployment.organization_url(organization.unique_name),
            route=_route(deployment),
            client_id=deployment.adfs_client_id,
            kerberos=deployment.winrm_sign_in == Deployment.WinrmSignIn.KERBEROS,
        ),
        DynamicsCredential(
            deployment.crm_username, _needed(deployment.crm_password, "CRM user").decode()
        ),
    )


def split_pem(pem: bytes) -> tuple[bytes, bytes]:
    """Split PEM text into its certificate and its private key, each as PEM.

    :raises BadInput: when one of them is missing.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise BadInput(
            "The credential must be PEM text with one certificate and its private key, without a passphrase.",
            field="credential",
        ) from None
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _winrm_sign_in(deployment: Deployment) -> SignIn:
    opened = _needed(deployment.winrm_credential, "WinRM account")
    if deployment.winrm_sign_in == Deployment.WinrmSignIn.CERTIFICATE:
        return CertificateSignIn(*split_pem(opened))
    kerberos = deployment.winrm_sign_in == Deployment.WinrmSignIn.KERBEROS
    return PasswordSignIn(deployment.winrm_username, opened.decode(), kerberos=kerberos)


def _needed(secret: Secret | None, whose: str) -> bytes:
    if secret is None:
        raise BadInput(
            f"The deployment's connection has no credential of the {whose}.",
            remedy="Give it on the deployment's page.",
            code="SSS-NO-CREDENTIAL",
        )
    return open_secret(secret).reveal()


def _route(deployment: Deployment) -> Route:
    return Route(ca_file=deployment.ca_file or None, simulated=deployment.is_simulated)
