"""What a token must say before anything is done with it."""

from __future__ import annotations

from collections.abc import Collection

from portal.errors import Refused
from sync_setup.gateways.graph_session import CONSENT
from sync_setup.gateways.identifiers import TenantId
from sync_setup.gateways.tokens import Token, other_tenant

READ_ROLES = frozenset({"Application.Read.All", "Organization.Read.All"})
WRITE_ROLES = frozenset({"Application.ReadWrite.All", "Organization.Read.All"})


def check_claims(token: Token, tenant: TenantId, roles: Collection[str]) -> None:
    """Make sure that a token is for this tenant and carries these application permissions.

    Application.ReadWrite.All stands in for Application.Read.All.

    :raises Refused: another tenant (SSS-ENTRA-TENANT), or a permission is missing
        (SSS-ENTRA-ROLES), also when nobody consented and there are none at all.
    """
    if token.tenant_id != tenant:
        raise other_tenant(token.tenant_id, tenant)
    held = set(token.roles) | set(token.scopes)
    if "Application.ReadWrite.All" in held:
        held.add("Application.Read.All")
    lacking = sorted(set(roles) - held)
    if lacking:
        raise Refused(
            f"The setup app lacks {', '.join(lacking)}.",
            remedy=CONSENT.format(" and ".join(lacking)),
            code="SSS-ENTRA-ROLES",
            system="Microsoft Entra ID",
            detail={"roles": ", ".join(token.roles) or "none"},
        )
