"""What the changing functions of the CRM servers' endpoint are told and answer: contract 1.0."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from sync_setup.gateways.contract import (
    Certificate,
    CertificateState,
    InstallMethod,
    KeyReader,
    Named,
    ServiceState,
    TokenIssuer,
)
from sync_setup.gateways.identifiers import OperationId, OrganizationId, TenantId


@dataclass(frozen=True)
class CertificatePresence:
    """Before an install."""

    present: bool
    certificate: Certificate | None


@dataclass(frozen=True)
class InstalledCertificate:
    """After an install."""

    present: bool
    certificate: Certificate | None
    method: InstallMethod
    restored_readers: tuple[KeyReader, ...]


@dataclass(frozen=True)
class KeyReaders:
    """Who may read a private key."""

    key_readers: tuple[KeyReader, ...]


@dataclass(frozen=True)
class CertificateStanding:
    """Whether a certificate is there and found by a search."""

    state: CertificateState
    certificate: Certificate | None


@dataclass(frozen=True)
class TokenIssuerRow:
    """The token issuer of the deployment, or none."""

    token_issuer: TokenIssuer | None


@dataclass(frozen=True)
class AuthorizationServer:
    """The two ServerSettings that name whom CRM asks for tokens; empty: not set."""

    principal_id: Annotated[str, Named("S2SDefaultAuthorizationServerPrincipalId")]
    metadata_url: Annotated[str, Named("S2SDefaultAuthorizationServerMetadataUrl")]


@dataclass(frozen=True)
class OrganizationTenant:
    """Which tenant's Exchange Online an organization talks to."""

    organization_id: OrganizationId
    unique_name: str
    s2s_tenant_id: Annotated[TenantId | None, Named("S2STenantId")]


@dataclass(frozen=True)
class ServiceRun:
    """A service and its present run."""

    name: str
    state: ServiceState
    started_at: Annotated[datetime | None, Named("StartedAtUtc")]
    process_id: int


@dataclass(frozen=True)
class TransferFiles:
    """How many leftovers of a product script lie on a server."""

    files: int


B = TypeVar("B")
A = TypeVar("A")


@dataclass(frozen=True)
class Change(Generic[B, A]):
    """What a changing function did.

    :ivar replayed: nothing was done now; this is the stored result of the same operation.
    """

    operation_id: OperationId
    changed: bool
    replayed: bool
    seconds: float
    before: B
    after: A


@dataclass(frozen=True)
class Order:
    """Under whose authority a change is made; the server refuses an older (epoch, fence).

    :ivar operation_id: the same on every try of one change.
    :ivar job: such as J-12.
    """

    portal_id: str
    epoch: int
    fence: int
    operation_id: OperationId
    job: str
