"""The state of one on-premises CRM deployment: its servers, its configuration database.

Plain dataclasses that simulator.json_state writes and reads. Instants are text, UTC,
``2026-11-23T08:15:00.123Z``. No private key is kept: a CRM server's store holds a certificate,
what is true of its key, and who may read it.

Whoever reads or changes a deployment holds the world's lock.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field

from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate

__all__ = [
    "Deployment",
    "Fence",
    "KeyReader",
    "Loaded",
    "Operation",
    "Organization",
    "Role",
    "Server",
    "Service",
    "StoredCertificate",
    "TokenIssuer",
    "token_issuer_row",
]

Role = typing.Literal["AsyncService", "WebApplication"]
"""Who reads a private key; the server resolves the role to the account itself."""


@dataclass
class Loaded:
    """What a service read from the configuration database at its last start and still goes by."""

    token_issuer_thumbprint: str = ""
    authorization_server_principal_id: str = ""
    authorization_server_metadata_url: str = ""
    tenant_ids: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Service:
    """A Windows service or an application pool, and the configuration it runs with.

    ``service`` is the contract's word: Async, AsyncMaintenance or WebApplicationPool; ``state`` is
    Running, Stopped, StopPending or StartPending; ``account_kind`` User, Gmsa, BuiltIn or AppPool.
    """

    service: str
    name: str
    account: str
    sid: str
    account_kind: str = "User"
    state: str = "Running"
    start_mode: str = "Auto"
    started_at: str = ""
    process_id: int = 0
    loaded: Loaded = field(default_factory=Loaded)


@dataclass
class Operation:
    """A line of a server's operation store: Running, Done or Failed; never a secret.

    ``error`` and ``stored_result`` are contract JSON; ``restorable`` is what a restore of this
    operation writes back.
    """

    operation_id: str
    function: str
    parameter_hash: str
    state: str
    started_at: str
    ended_at: str | None = None
    error: dict[str, str] | None = None
    stored_result: dict[str, object] | None = None
    restorable: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Fence:
    """The highest (epoch, fence) that a resource of this server has accepted."""

    epoch: int
    fence: int


@dataclass
class Server:
    """One CRM server: Windows, its store and services, and the SssPortal endpoint's own stores.

    ``roles``: Async, WebApplication, EmailIntegration, DeploymentTools, Other. ``run_as_kind``:
    VirtualAccount, GroupManagedServiceAccount or Other. ``portal_id`` is what the installer was
    given; empty means that the first portal to change something claims the server.
    ``last_change`` is when this endpoint last changed a setting, store or key (a restart is none).
    ``unreachable_hosts`` names what this server's firewall cuts off; ``clock_offset_s`` is how far
    its clock is ahead of true time.
    """

    id: str
    name: str
    fqdn: str
    roles: list[str]
    run_as_kind: str
    run_as_identity: str
    services: list[Service] = field(default_factory=list)
    app_pools: list[Service] = field(default_factory=list)
    certificates: list[StoredCertificate] = field(default_factory=list)
    operations: dict[str, Operation] = field(default_factory=dict)
    fences: dict[str, Fence] = field(default_factory=dict)
    portal_id: str = ""
    transfer_files: int = 0
    last_change: str | None = None
    state: str = "Enabled"
    version: str = "9.1.31.21"
    domain: str = "contoso.example"
    os_version: str = "10.0.17763"
    module_version: str = "1.0.0"
    module_sha256: str = ""
    installed_contract: str = "1.0"
    is_elevated: bool = True
    is_64_bit: bool = True
    script_signature: str = "Valid"
    script_present: bool = True
    strong_crypto: bool = True
    tls12_client: bool = True
    pending_reboot: bool = False
    proxy: str = ""
    unreachable_hosts: list[str] = field(default_factory=list)
    intercepted_hosts: list[str] = field(default_factory=list)
    clock_offset_s: float = 0.0

    def certificate(self, thumbprint: str) -> StoredCertificate | None:
        """The certificate with this SHA-1 thumbprint in the store, archived or not."""
        return next((c for c in self.certificates if c.thumbprint == thumbprint), None)

    def found_by_subject(self, subject: str) -> list[StoredCertificate]:
        """What the product's search by distinguished name finds: archived ones stay hidden."""
        # GUESS: FindBySubjectDistinguishedName skips archived certificates as the default X509Store
        # open flags do.
        return [c for c in self.certificates if c.subject == subject and not c.archived]

    def running(self, service: str) -> Service | None:
        """The Windows service or application pool by the contract's word, if this server has it."""
        return next((s for s in self.services + self.app_pools if s.service == service), None)

    def reader_account(self, role: Role) -> Service | None:
        """Whose account a role means here: the async service's, or the application pool's."""
        return self.running("Async" if role == "AsyncService" else "WebApplicationPool")


@dataclass
class Organization:
    """An organization of the deployment; ``state`` is Enabled or Disabled."""

    id: str
    unique_name: str
    friendly_name: str
    tenant_id: str | None = None
    state: str = "Enabled"
    version: str = "9.1.31.21"


@dataclass
class TokenIssuer:
    """The S2STokenIssuer row of the configuration database: public bytes and how to find the key."""

    id: str
    name: str
    thumbprint: str
    sha256: str
    raw_base64: str
    store_name: str = "My"
    store_location: str = "LocalMachine"
    store_find_type: str = "FindBySubjectDistinguishedName"


@dataclass
class Deployment:
    """The deployment: servers, organizations, and what its configuration database says.

    ``trusted_issuers`` are certification authorities that every server trusts (base64 DER);
    ``administrators`` the Deployment Administrators; an empty authorization server setting means
    that it was never set.
    """

    service_url: str
    servers: list[Server]
    organizations: list[Organization]
    token_issuer: TokenIssuer | None = None
    token_issuer_count: int = 0
    authorization_server_principal_id: str = ""
    authorization_server_metadata_url: str = ""
    claims_enabled: bool = True
    ifd_enabled: bool = True
    oauth_enabled: bool = True
    administrators: list[str] = field(default_factory=list)
    trusted_issuers: list[str] = field(default_factory=list)

    def server(self, name: str) -> Server:
        """The server of this name.

        :raises KeyError: the deployment has none.
        """
        for server in self.servers:
            if server.name == name:
                return server
        raise KeyError(name)

    def organization(self, organization_id: str) -> Organization | None:
        """Find an organization by its id, in any case; None when there is none."""
        wanted = organization_id.lower()
        return next((o for o in self.organizations if o.id == wanted), None)

    def servers_in_role(self, role: str) -> list[Server]:
        """Servers with a role such as Async; the mailbox test of the product runs on those."""
        return [server for server in self.servers if role in server.roles]

    def snapshot(self) -> Loaded:
        """What a service that starts now would read."""
        return Loaded(
            self.token_issuer.thumbprint if self.token_issuer else "",
            self.authorization_server_principal_id,
            self.authorization_server_metadata_url,
            {organization.id: organization.tenant_id for organization in self.organizations},
        )


def token_issuer_row(row_id: str, certificate: StoredCertificate) -> TokenIssuer:
    """The row that Set-CrmCertificate would write for this certificate."""
    return TokenIssuer(
        id=row_id,
        name=certificate.subject,
        thumbprint=certificate.thumbprint,
        sha256=certificate.sha256,
        raw_base64=certificate.raw_base64,
    )
