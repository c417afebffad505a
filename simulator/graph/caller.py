"""Who calls Microsoft Graph and what the token lets them do."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.entra.issuing import GRAPH_NAMES
from simulator.entra.state import (
    APPLICATION_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    Tenant,
)
from simulator.graph.errors import GraphError
from simulator.simulation import Simulation
from simulator.tokens import BadToken
from simulator.web.message import Request

DIRECTORY_READERS = ("Directory.Read.All", "Directory.ReadWrite.All")
MAY_READ: dict[str, tuple[str, ...]] = {
    "organization": ("Organization.Read.All", "Organization.ReadWrite.All", *DIRECTORY_READERS),
    "subscribedSkus": (
        "Organization.Read.All",
        "Organization.ReadWrite.All",
        "LicenseAssignment.Read.All",
        *DIRECTORY_READERS,
    ),
    "servicePrincipals": (
        "Application.Read.All",
        "Application.ReadWrite.All",
        *DIRECTORY_READERS,
    ),
    "users": ("User.Read.All", "User.ReadWrite.All", *DIRECTORY_READERS),
    "mailboxSettings": ("MailboxSettings.Read", "MailboxSettings.ReadWrite"),
    "directoryRoles": ("RoleManagement.Read.Directory", *DIRECTORY_READERS),
}
"""Application permissions of which one is enough, by the least-privilege tables of each page."""

MAY_WRITE_PRINCIPALS = ("Application.ReadWrite.All", "Directory.ReadWrite.All")


@dataclass(frozen=True)
class Caller:
    """The holder of a token: ``name`` for the ledger, ``person_id`` empty for an application."""

    tenant: Tenant
    name: str
    permissions: frozenset[str]
    person_id: str = ""
    directory_roles: frozenset[str] = frozenset()

    def demand(self, one_of: tuple[str, ...]) -> None:
        """Refuse unless the token carries one of these permissions.

        :raises GraphError: 403.
        """
        if not self.permissions & set(one_of):
            raise GraphError(403)

    def demand_principal_write(self) -> None:
        """Refuse unless the caller may change service principals.

        On behalf of a person the permission alone is not enough: the person needs the role too.
        """
        self.demand(MAY_WRITE_PRINCIPALS)
        fit = {GLOBAL_ADMINISTRATOR, APPLICATION_ADMINISTRATOR}
        if self.person_id and not self.directory_roles & fit:
            raise GraphError(403)


def identify(simulation: Simulation, request: Request) -> Caller:
    """The caller of a request.

    :raises GraphError: 401 for a token that is missing, malformed, foreign, expired or for another
        audience.
    """
    token = request.bearer()
    if not token:
        raise GraphError(401)
    try:
        claims = simulation.entra_key.verify(token)
    except BadToken as error:
        raise GraphError(401, "InvalidAuthenticationToken", _reason(str(error))) from error
    if claims.get("aud") not in (simulation.places.graph, *GRAPH_NAMES):
        text = "Access token validation failure. Invalid audience."
        raise GraphError(401, "InvalidAuthenticationToken", text)
    tenant = simulation.world.tenant(str(claims.get("tid")))
    if tenant is None:
        raise GraphError(401, "InvalidAuthenticationToken", "Tenant does not exist.")
    roles, wids = claims.get("roles"), claims.get("wids")
    scopes = str(claims.get("scp", "")).split()
    is_person = claims.get("idtyp") == "user"
    return Caller(
        tenant,
        str(claims.get("upn") if is_person else claims.get("app_displayname")),
        frozenset(
            scopes if is_person else [str(r) for r in roles] if isinstance(roles, list) else ()
        ),
        str(claims.get("oid")) if is_person else "",
        frozenset(str(wid) for wid in wids) if isinstance(wids, list) else frozenset(),
    )


def _reason(reason: str) -> str:
    if reason == "expired":
        return "Lifetime validation failed, the token is expired."
    if reason == "signature":
        return "Access token validation failure. Invalid signature."
    return "CompactToken parsing failed with error code: 80049217"
