"""What the CRM servers' endpoint answers, as frozen records: contract 1.0 of the module SssPortal.

Every record has exactly the properties of the contract's shape; `contract_reading` fills them. Names
follow the contract; where a field's name does not simply translate, the property is named beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, NewType

from sync_setup.gateways.identifiers import (
    OrganizationId,
    Sha256,
    TenantId,
    Thumbprint,
)

CONTRACT_VERSION = "1.0"
ENDPOINT = "SssPortal"

Guid = NewType("Guid", str)
Der = NewType("Der", bytes)
"""A public certificate; base64 on the wire."""

RunAsKind = Literal["VirtualAccount", "GroupManagedServiceAccount", "Other"]
ServerRole = Literal["Async", "WebApplication", "EmailIntegration", "DeploymentTools", "Other"]
ServiceName = Literal["Async", "AsyncMaintenance", "WebApplicationPool"]
ServiceState = Literal[
    "Running",
    "Stopped",
    "StartPending",
    "StopPending",
    "ContinuePending",
    "PausePending",
    "Paused",
    "Unknown",
]
StartMode = Literal["Auto", "Manual", "Disabled"]
AccountKind = Literal["User", "Gmsa", "BuiltIn", "AppPool"]
KeyStorage = Literal["Csp", "Cng", "None", "Unreadable"]
Rights = Literal["Read", "FullControl", "Other"]
CertificateState = Literal["Active", "Archived", "Absent"]
InstallMethod = Literal["Import", "ProductScript"]
OperationState = Literal["Unknown", "Running", "Done", "Failed"]
ChangedWord = Literal["No", "Yes", "Unknown"]
ReaderRole = Literal["AsyncService", "WebApplication"]
Access = Literal["Read", "None"]


@dataclass(frozen=True)
class Named:
    """The property's name in the contract, where the field's own does not simply translate."""

    json: str


@dataclass(frozen=True)
class CertificateScript:
    """CertificateReconfiguration.ps1 on this server, and whose signature it has."""

    present: bool
    sha256: Sha256 | None
    signature: str | None
    signer: str | None


@dataclass(frozen=True)
class Service:
    """A Windows service or application pool of CRM, and the account it runs as."""

    service: ServiceName
    name: str
    state: ServiceState
    start_mode: StartMode
    account: str
    sid: str
    account_kind: AccountKind
    started_at: Annotated[datetime | None, Named("StartedAtUtc")]
    process_id: int


@dataclass(frozen=True)
class Server:
    """One CRM server: its module, who the endpoint runs as, its CRM roles and services."""

    module_version: str
    module_sha256: Sha256
    fqdn: str
    domain: str
    os_version: str
    ps_version: Annotated[str, Named("PSVersion")]
    run_as_identity: str
    run_as_kind: RunAsKind
    crm_version: str | None
    roles: tuple[ServerRole, ...]
    snap_in_registered: bool
    certificate_script: CertificateScript
    services: tuple[Service, ...]
    app_pools: tuple[Service, ...]
    strong_crypto: bool
    tls12_client: bool
    pending_reboot: bool
    transfer_files: int
    last_change_at: Annotated[datetime | None, Named("LastChangeUtc")]


@dataclass(frozen=True)
class KeyReader:
    """An entry on a private key's file."""

    account: str
    sid: str
    rights: Rights
    added_by_portal: bool


@dataclass(frozen=True)
class Certificate:
    """A certificate with a private key in a server's LocalMachine\\My store.

    :ivar key_spec: 1 is AT_KEYEXCHANGE, which server-side synchronization needs; 0 under CNG.
    :ivar found_by_subject: what the product's own search by this subject finds on this server.
    """

    thumbprint: Thumbprint
    sha256: Sha256
    subject: str
    issuer: str
    serial_number: str
    not_before: Annotated[datetime, Named("NotBeforeUtc")]
    not_after: Annotated[datetime, Named("NotAfterUtc")]
    archived: bool
    has_private_key: bool
    key_algorithm: str
    key_bits: int
    key_storage: KeyStorage
    provider_name: str
    provider_type: int
    key_spec: int
    exportable: bool | None
    key_readers: tuple[KeyReader, ...]
    chain_ok: bool
    chain_status: tuple[str, ...]
    found_by_subject: tuple[Thumbprint, ...]
    iis_bindings: tuple[str, ...]
    raw: Annotated[Der, Named("RawBase64")] = field(repr=False)


@dataclass(frozen=True)
class CrmServer:
    """A server of the deployment, as Get-CrmServer lists it."""

    id: Guid
    name: str
    roles: tuple[ServerRole, ...]
    state: str
    version: str


@dataclass(frozen=True)
class CrmOrganization:
    """An organization of the deployment; the tenant id is read only for the one asked for."""

    id: OrganizationId
    unique_name: str
    friendly_name: str
    state: str
    version: str
    s2s_tenant_id: Annotated[TenantId | None, Named("S2STenantId")]


@dataclass(frozen=True)
class TokenIssuer:
    """The S2STokenIssuer row: public bytes, and how CRM finds the private key."""

    id: Guid
    name: str
    store_name: str
    store_location: str
    store_find_type: str
    thumbprint: Thumbprint
    sha256: Sha256
    raw: Annotated[Der, Named("RawBase64")] = field(repr=False)


@dataclass(frozen=True)
class Deployment:
    """The deployment as its Deployment web service tells it; an empty setting was never set."""

    deployment_service_url: str
    run_as_identity: str
    servers: tuple[CrmServer, ...]
    organizations: tuple[CrmOrganization, ...]
    token_issuer: TokenIssuer | None
    token_issuer_count: int
    authorization_principal_id: Annotated[str, Named("S2SDefaultAuthorizationServerPrincipalId")]
    authorization_metadata_url: Annotated[str, Named("S2SDefaultAuthorizationServerMetadataUrl")]
    claims_enabled: bool
    ifd_enabled: bool
    oauth_enabled: Annotated[bool, Named("OAuthEnabled")]


@dataclass(frozen=True)
class Reached:
    """How far one server got towards one host of Microsoft."""

    host: str
    port: int
    dns: bool
    tcp: bool
    tls_protocol: str | None
    issuer: str | None
    trusted: bool
    milliseconds: int
    error: str | None


@dataclass(frozen=True)
class Egress:
    """What a server reaches, as the account it runs as and through its own proxy."""

    run_as_identity: str
    proxy: str | None
    endpoints: tuple[Reached, ...]


@dataclass(frozen=True)
class ContractError:
    """A refusal in the contract's own words."""

    code: str
    message: str
    changed: ChangedWord


@dataclass(frozen=True)
class Operation:
    """What a server knows of an operation; Unknown: it never got it."""

    state: OperationState
    function_name: str | None
    started_at: Annotated[datetime | None, Named("StartedAtUtc")]
    ended_at: Annotated[datetime | None, Named("EndedAtUtc")]
    error: ContractError | None
    stored_result: Annotated[Mapping[str, object] | None, Named("StoredResult")] = field(repr=False)
