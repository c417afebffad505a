"""The organization, its licences, users, mailbox settings and directory roles."""

from __future__ import annotations

from typing import cast

from simulator.entra.state import DirectoryUser, Sku, Tenant
from simulator.graph.caller import MAY_READ, Caller
from simulator.graph.errors import GraphError, not_found
from simulator.graph.query import listed, selected
from simulator.odata.csdl import Metadata
from simulator.odata.filter import Row
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

EXCHANGE_PLAN = "efb87545-963c-4e0d-99df-69c6916d9eb0"
FOUNDATION_PLAN = "113feb6c-3fe4-4440-bddc-54d774bf0318"


class Directory:
    """Reads only: nothing here is ever changed by the portal."""

    def __init__(self, simulation: Simulation, metadata: Metadata) -> None:
        self._simulation, self._types = simulation, metadata.types

    def organizations(self, request: Request, caller: Caller) -> Response:
        caller.demand(MAY_READ["organization"])
        return self._list(request, "organization", [_organization(caller.tenant)])

    def skus(self, request: Request, caller: Caller) -> Response:
        caller.demand(MAY_READ["subscribedSkus"])
        if "$filter" in request.query:
            text = "Query option '$filter' is not supported for this resource."
            raise GraphError(400, "Request_UnsupportedQuery", text)
        tenant = caller.tenant
        return self._list(request, "subscribedSku", [_sku(sku, tenant) for sku in tenant.skus])

    def users(self, request: Request, caller: Caller) -> Response:
        caller.demand(MAY_READ["users"])
        return self._list(request, "user", [_user(user) for user in caller.tenant.users])

    def user(self, request: Request, caller: Caller, name: str) -> Response:
        caller.demand(MAY_READ["users"])
        return self._one(request, "user", _user(_find(caller, name)))

    def me(self, request: Request, caller: Caller) -> Response:
        """The signed-in person; an application is nobody."""
        if not caller.person_id:
            text = "/me request is only valid with delegated authentication flow."
            raise GraphError(400, "BadRequest", text)
        return self._one(request, "user", _user(_find(caller, caller.person_id)))

    def mailbox_settings(self, request: Request, caller: Caller, name: str) -> Response:
        """Proof that a mailbox exists in Exchange Online."""
        caller.demand(MAY_READ["mailboxSettings"])
        user = _find(caller, name)
        mailboxes = caller.tenant.exchange.mailboxes
        if (user.mail or "").lower() not in mailboxes or not user.has_exchange_plan:
            text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise GraphError(404, "MailboxNotEnabledForRESTAPI", text)
        return Response.of_json(
            {
                "timeZone": "W. Europe Standard Time",
                "dateFormat": "dd.MM.yyyy",
                "timeFormat": "HH:mm",
                "userPurpose": "user",
            }
        )

    def role_members(self, request: Request, caller: Caller, template: str) -> Response:
        """Members of a directory role, direct ones only."""
        caller.demand(MAY_READ["directoryRoles"])
        members = [p for p in caller.tenant.people if template.lower() in p.directory_roles]
        value = [
            {
                "@odata.type": "#microsoft.graph.user",
                "id": person.id,
                "displayName": person.name,
                "userPrincipalName": person.username,
            }
            for person in members
        ]
        return Response.of_json({"value": value})

    def _list(self, request: Request, kind: str, resources: list[dict[str, object]]) -> Response:
        found = listed(cast(list[Row], resources), request, self._types[kind])
        top = request.query.get("$top", "")
        if top and (not top.isdigit() or not 1 <= int(top) <= 999):
            raise GraphError(400, "Request_BadRequest", "Invalid page size specified.")
        size = int(top or "100")
        start = int(request.query.get("$skiptoken") or 0)
        answer: dict[str, object] = {
            "@odata.context": f"{self._simulation.places.graph}/v1.0/$metadata#{kind}",
            "value": found[start : start + size],
        }
        if start + size < len(found):
            path = request.target.partition("&$skiptoken")[0].partition("&%24skiptoken")[0]
            glue = "&" if "?" in path else "?"
            base = self._simulation.places.graph
            answer["@odata.nextLink"] = f"{base}{path}{glue}$skiptoken={start + size}"
        return Response.of_json(answer)

    def _one(self, request: Request, kind: str, resource: dict[str, object]) -> Response:
        context = f"{self._simulation.places.graph}/v1.0/$metadata#{kind}s/$entity"
        found = selected(resource, request, self._types[kind])
        return Response.of_json({"@odata.context": context, **found})


def _organization(tenant: Tenant) -> dict[str, object]:
    return {
        "id": tenant.id,
        "displayName": tenant.name,
        "tenantType": "AAD",
        "onPremisesSyncEnabled": True,
        "countryLetterCode": "DE",
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": position == 0,
                "isInitial": domain.endswith(".onmicrosoft.com"),
                "name": domain,
                "type": "Managed",
            }
            for position, domain in enumerate(tenant.domains)
        ],
    }


def _sku(sku: Sku, tenant: Tenant) -> dict[str, object]:
    return {
        "id": f"{tenant.id}_{sku.sku_id}",
        "accountId": tenant.id,
        "accountName": tenant.domains[0].partition(".")[0],
        "appliesTo": "Company" if "HYBRID" in sku.part_number else "User",
        "capabilityStatus": sku.status,
        "consumedUnits": sku.consumed_units,
        "skuId": sku.sku_id,
        "skuPartNumber": sku.part_number,
        "prepaidUnits": {
            "enabled": sku.enabled_units,
            "suspended": 0,
            "warning": 0,
            "lockedOut": 0,
        },
        "servicePlans": [
            {
                "servicePlanId": plan_id,
                "servicePlanName": name,
                "provisioningStatus": "Success",
                "appliesTo": "Company",
            }
            for name, plan_id in sku.plans.items()
        ],
    }


def _user(user: DirectoryUser) -> dict[str, object]:
    plans = [(FOUNDATION_PLAN, "exchange")]
    if user.has_exchange_plan:
        plans.append((EXCHANGE_PLAN, "exchange"))
    return {
        "id": user.id,
        "displayName": user.display_name,
        "userPrincipalName": user.user_principal_name,
        "mail": user.mail,
        "proxyAddresses": list(user.proxy_addresses),
        "accountEnabled": user.is_enabled,
        "assignedPlans": [
            {
                "assignedDateTime": "2025-01-07T09:00:00Z",
                "capabilityStatus": "Enabled",
                "service": service,
                "servicePlanId": plan_id,
            }
            for plan_id, service in plans
        ],
    }


def _find(caller: Caller, name: str) -> DirectoryUser:
    wanted = name.lower()
    for user in caller.tenant.users:
        if wanted in (user.id, user.user_principal_name.lower()):
            return user
    raise not_found(name)
