"""Links as an asynchronous server sees them, by what its service loaded at its last start."""

from __future__ import annotations

import base64
import datetime
import hashlib
from dataclasses import dataclass

from simulator.chain.missing import Missing
from simulator.deployment import Server, Service, StoredCertificate
from simulator.entra.state import CRM_APP_ID, ServicePrincipal
from simulator.state import World

ACS_PRINCIPAL_ID = "00000001-0000-0000-c000-000000000000"
METADATA_URL = "https://accounts.accesscontrol.windows.net/metadata/json/1"
CLOCK_TOLERANCE_S = 300
TOKEN_HOSTS = ("accounts.accesscontrol.windows.net", "login.microsoftonline.com")
EXCHANGE_HOST = "outlook.office365.com"


@dataclass(frozen=True)
class AsyncView:
    """The chain as one asynchronous server sees it, by what its service loaded at its start."""

    world: World
    server: Server
    service: Service
    organization_id: str

    def network(self) -> Missing | None:
        """Give what keeps the server from Entra ID and Exchange Online; None when nothing does."""
        for host in (*TOKEN_HOSTS, EXCHANGE_HOST):
            if host in self.server.unreachable_hosts:
                text = f"Web server returned ConnectFailure exception: {host} cannot be reached."
                return self._missing("server.egress", text, is_permanent=False)
            if host in self.server.intercepted_hosts:
                text = (
                    "Could not establish trust relationship for the SSL/TLS secure channel with"
                    f" {host}."
                )
                return self._missing("server.tls", text, is_permanent=False)
        return None

    def configuration(self) -> Missing | None:
        """Token issuer, authorization server and tenant id, as loaded at the service's start."""
        loaded = self.service.loaded
        if not loaded.token_issuer_thumbprint:
            text = "No certificate found with CertificateType 'S2STokenIssuer'."
            return self._missing("issuer.row", text)
        if loaded.authorization_server_principal_id.lower() != ACS_PRINCIPAL_ID:
            return self._missing(
                "settings.principal",
                _no_token("S2SDefaultAuthorizationServerPrincipalId is not set"),
            )
        if loaded.authorization_server_metadata_url != METADATA_URL:
            return self._missing(
                "settings.metadata",
                _no_token("S2SDefaultAuthorizationServerMetadataUrl is not set"),
            )
        tenant_id = loaded.tenant_ids.get(self.organization_id)
        if not tenant_id:
            return self._missing("settings.tenant", _no_token("S2STenantId is not set"))
        if self.world.tenant(tenant_id) is None:
            text = _no_token(f"AADSTS90002: Tenant '{tenant_id}' not found")
            return self._missing("settings.tenant", text)
        return None

    def certificate(self) -> Missing | None:
        """Found by its subject unambiguously, with a usable key that the service account reads."""
        issuer = self._issuer_certificate()
        if issuer is None:
            text = "Private key not found"
            return self._missing("server.certificate", f"{self._who()}: {text}")
        same = self.server.found_by_subject(issuer.subject)
        if len(same) != 1 or same[0].thumbprint != issuer.thumbprint:
            return self._missing("server.subject", f"{self._who()}: Private key not found")
        if not issuer.has_private_key:
            return self._missing("server.key", f"{self._who()}: Private key not found")
        if issuer.key_storage != "Csp" or issuer.key_spec != 1:
            text = f"{self._who()}: Invalid provider type specified. KeySpec = {issuer.key_spec}"
            return self._missing("server.keyspec", text)
        if not issuer.is_read_by(self.service.account):
            text = f"{self._who()}: Keyset does not exist ({self.service.account} cannot read it)"
            return self._missing("server.reader", text)
        if not _is_valid_now(issuer.not_before, issuer.not_after):
            text = _no_token("the certificate of the token issuer is outside its validity")
            return self._missing("certificate.dates", text)
        return None

    def token(self) -> Missing | None:
        """The key and the name of CRM's principal in Entra ID; the clock; Exchange's own switch."""
        tenant = self.world.tenant(self.service.loaded.tenant_ids[self.organization_id] or "")
        issuer = self._issuer_certificate()
        if tenant is None or issuer is None:
            return None
        principal = tenant.principal_of(CRM_APP_ID)
        if principal is None or not principal.is_enabled:
            text = _no_token(f"application {CRM_APP_ID} was not found in tenant {tenant.id}")
            return self._missing("entra.principal", text)
        if CRM_APP_ID not in principal.names:
            text = _no_token(f"{CRM_APP_ID} is no principal name of the application")
            return self._missing("entra.name", text)
        if not _has_key(principal, issuer):
            text = (
                "AADSTS700027: Client assertion contains an invalid signature. [Reason - The key"
                f" was not found., Thumbprint of key used by client: '{issuer.thumbprint}']"
            )
            return self._missing("entra.key", text)
        if abs(self.server.clock_offset_s) > CLOCK_TOLERANCE_S:
            text = f"{_refused()} (clock of {self.server.name})"
            return self._missing("server.clock", text)
        if not tenant.exchange.is_crm_allowed:
            return self._missing("exchange.switch", _refused())
        return None

    def _issuer_certificate(self) -> StoredCertificate | None:
        return self.server.certificate(self.service.loaded.token_issuer_thumbprint)

    def _missing(self, link: str, text: str, *, is_permanent: bool = True) -> Missing:
        return Missing(link, text, self.server.name, is_permanent)

    def _who(self) -> str:
        return f"{self.server.name}, token issuer {self.service.loaded.token_issuer_thumbprint}"


def _has_key(principal: ServicePrincipal, certificate: StoredCertificate) -> bool:
    """Whether a key that is valid now holds exactly this certificate."""
    for key in principal.keys:
        digest = hashlib.sha256(base64.b64decode(key.key)).hexdigest().upper()
        if digest == certificate.sha256 and _is_valid_now(key.start, key.end):
            return True
    return False


def _is_valid_now(start: str, end: str) -> bool:
    now = datetime.datetime.now(datetime.UTC)
    return datetime.datetime.fromisoformat(start) <= now < datetime.datetime.fromisoformat(end)


def _no_token(reason: str) -> str:
    return f"Acquiring the access token from ACS has failed: {reason}."


def _refused() -> str:
    return (
        "Http server returned 401 Unauthorized. WWW-Authenticate: Bearer"
        f' client_id="00000002-0000-0ff1-ce00-000000000000",'
        f' trusted_issuers="{ACS_PRINCIPAL_ID}@*", error="invalid_token"'
    )
