"""The chain behind server-side synchronization, link by link, over all systems of the world.

One function looks along the chain from the mailbox record to the mailbox in Exchange Online and
names the first link that is missing. The mailbox test, the synchronization cycle and the control API
ask it; there is no other place where a test could become green.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.deployment import Deployment, Server, Service, StoredCertificate
from simulator.dynamics.database import Database, Record
from simulator.entra.state import CRM_APP_ID, ExchangeMailbox, ServicePrincipal, Tenant
from simulator.state import World

ACS_PRINCIPAL_ID = "00000001-0000-0000-c000-000000000000"
METADATA_URL = "https://accounts.accesscontrol.windows.net/metadata/json/1"
EWS_URL = "https://outlook.office365.com/EWS/Exchange.asmx"
EXCHANGE_ONLINE_HYBRID = 3
CLOCK_TOLERANCE_S = 300
TOKEN_HOSTS = ("accounts.accesscontrol.windows.net", "login.microsoftonline.com")
EXCHANGE_HOST = "outlook.office365.com"


@dataclass(frozen=True)
class Missing:
    """The first missing link.

    ``link`` is a stable word for tests; ``text`` what the alert says, in words that real alerts use;
    ``machine`` the server it was found on. A permanent one disables the mailbox at once.
    """

    link: str
    text: str
    machine: str = ""
    is_permanent: bool = True


def missing_link(world: World, organization: str, mailbox: Record) -> Missing | None:
    """The first missing link for a mailbox of an organization (unique name); None: all is in place.

    Hold the world's lock.
    """
    for find in _links(world, organization, mailbox):
        if (missing := find()) is not None:
            return missing
    return None


def running_async_servers(deployment: Deployment) -> list[tuple[Server, Service]]:
    """Servers whose asynchronous service runs: only they test and synchronize mailboxes."""
    found = []
    for server in deployment.servers_in_role("Async"):
        service = server.running("Async")
        if service is not None and service.state == "Running" and server.state == "Enabled":
            found.append((server, service))
    return found


def _links(
    world: World, organization: str, mailbox: Record
) -> Iterator[Callable[[], Missing | None]]:
    database, deployment = world.databases[organization], world.deployment
    yield lambda: _record(database, mailbox)
    yield lambda: _profile(database, mailbox)
    organization_id = next(
        (o.id for o in deployment.organizations if o.unique_name == organization), ""
    )
    for server, service in running_async_servers(deployment):
        view = _View(world, deployment, server, service, organization_id)
        yield view.network
        yield view.configuration
        yield view.certificate
        yield view.token
    yield lambda: _application_pools(deployment)
    for _, service in running_async_servers(deployment)[:1]:
        tenant = world.tenant(service.loaded.tenant_ids.get(organization_id) or "")
        if tenant is not None:
            yield lambda tenant=tenant: _exchange(tenant, database, mailbox)  # type: ignore[misc]


def _record(database: Database, mailbox: Record) -> Missing | None:
    """The mailbox record itself: active, approved, with an address."""
    name = mailbox.get("name")
    if mailbox.get("statecode") != 0:
        text = f"Mailbox {name} is deactivated. Email Server Error Code: MailboxDisabled"
        return Missing("mailbox.active", text)
    if mailbox.get("emailrouteraccessapproval") != 1:
        text = f"The email address of the mailbox {name} is not approved."
        return Missing("mailbox.approval", text)
    if not mailbox.get("emailaddress"):
        text = f"the mailbox {name} doesn't have a valid email address."
        return Missing("mailbox.address", text)
    del database
    return None


def _profile(database: Database, mailbox: Record) -> Missing | None:
    """The email server profile: bound, active, Exchange Online (Hybrid), right address."""
    profile = database.find("emailserverprofile", str(mailbox.get("_emailserverprofile_value")))
    name = mailbox.get("name")
    if profile is None:
        text = f"The mailbox {name} does not have an email server profile associated with it."
        return Missing("profile.bound", text)
    if profile.get("statecode") != 0:
        text = "Email Server Error Code: Exchange server returned InvalidIncomingEmailServerProfile"
        return Missing("profile.active", f"{text} (the profile {profile['name']} is inactive).")
    if profile.get("servertype") != EXCHANGE_ONLINE_HYBRID:
        text = (
            "The credentials specified in the associated email server profile are not valid: the"
            f" profile {profile['name']} is not of type Exchange Online (Hybrid)."
        )
        return Missing("profile.type", text)
    return None if profile.get("useautodiscover") else _location(profile)


def _location(profile: Record) -> Missing | None:
    for direction in ("incoming", "outgoing"):
        if direction == "outgoing" and profile.get("usesamesettingsforoutgoingconnections"):
            continue
        where = str(profile.get(f"{direction}serverlocation") or "")
        if where.casefold() != EWS_URL.casefold():
            text = (
                "Email Server Error Code: InvalidIncomingEmailServerProfileConfiguration"
                f" HostNotFound: {direction} server location '{where}' of {profile['name']}."
            )
            return Missing("profile.location", text)
    return None


@dataclass(frozen=True)
class _View:
    """The chain as one asynchronous server sees it, by what its service loaded at its start."""

    world: World
    deployment: Deployment
    server: Server
    service: Service
    organization_id: str

    def network(self) -> Missing | None:
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


def _application_pools(deployment: Deployment) -> Missing | None:
    """Web servers sign too (Test Connection), so their pool account must read the key."""
    # GUESS: the mailbox test itself runs in the asynchronous service; here the web servers' readers
    # belong to "really in place" too.
    issuer = deployment.token_issuer
    for server in deployment.servers_in_role("WebApplication"):
        pool = server.running("WebApplicationPool")
        stored = server.certificate(issuer.thumbprint) if issuer else None
        if pool is None or issuer is None:
            continue
        if stored is None or stored.archived:
            text = f"{server.name}: the token issuer certificate is missing. Private key not found"
            return Missing("web.certificate", text, server.name)
        if not stored.is_read_by(pool.account):
            text = f"{server.name}: CrmAppPool ({pool.account}): Keyset does not exist"
            return Missing("web.reader", text, server.name)
    return None


def _exchange(tenant: Tenant, database: Database, mailbox: Record) -> Missing | None:
    """Exchange Online: the profile's tenant, EWS, the mailbox."""
    exchange, address = tenant.exchange, str(mailbox.get("emailaddress")).lower()
    profile = database.find("emailserverprofile", str(mailbox.get("_emailserverprofile_value")))
    named = str(profile.get("exchangeonlinetenantid") or "") if profile else ""
    if profile and not profile.get("usedefaulttenantid") and named.lower() != tenant.id:
        text = f"The tenant '{named}' of the profile does not match the tenant of the organization."
        return Missing("profile.tenant", text)
    if exchange.ews_enabled is False:
        text = "X-EWS-Policy-Reason: EWS is disabled for this user or tenant"
        return Missing("exchange.ews", text)
    allowed = [part.strip() for part in (exchange.ews_allowed_app_ids or "").split(",")]
    if exchange.ews_enabled and CRM_APP_ID not in allowed:
        text = "X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant"
        return Missing("exchange.allowlist", text)
    found: ExchangeMailbox | None = exchange.mailboxes.get(address)
    if found is None:
        text = (
            "Email Server Error Code: Exchange server returned ErrorNonExistentMailbox error: The"
            f" SMTP address has no mailbox associated with it ({address})."
        )
        return Missing("exchange.mailbox", text)
    if not found.is_ews_enabled:
        text = "X-EWS-Policy-Reason: EWS is disabled for this user or tenant"
        return Missing("exchange.mailbox_ews", text)
    return None


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
