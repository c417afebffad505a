from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Done, Gap, Look, Order, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.identifiers import OperationId, OrganizationId, TenantId
from sync_setup.server_step import Effect, ServerStep

FIELD = "Organization.S2STenantId"


class SetOrganizationTenant(ServerStep):
    """Tell the organization which Exchange Online tenant to ask for tokens.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, "Set the Exchange Online tenant ID"
    """

    key = "set-organization-tenant"
    title = "Set the organization's Exchange Online tenant id"
    group = "CRM configuration database"
    system = "CRM deployment"
    undo = (
        "A plan of its own can have the CRM server write back what it recorded before; the async "
        "services then restart once more."
    )

    takes_back = True

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.organization.resource, context.deployment.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        wanted_id = OrganizationId(context.organization_id)
        for found in context.tools.get_deployment(wanted_id).organizations:
            if found.id == wanted_id:
                return Look({FIELD: found.s2s_tenant_id}, {"organization": found.unique_name})
        return Look({FIELD: None})

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return {FIELD: str(context.tenant.tenant_id)}

    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        holds = look.fields[FIELD] == str(context.tenant.tenant_id)
        return [Effect(context.tools_server, FIELD, holds)]

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        before = gaps[FIELD].now
        order.log(f"S2STenantId {before or 'not set'} → {context.tenant.tenant_id}")
        context.tools.set_organization_tenant(
            context.server_order(order, FIELD),
            organization_id=OrganizationId(context.organization_id),
            unique_name=context.organization.unique_name,
            tenant_id=TenantId(str(context.tenant.tenant_id)),
            expect_tenant_id=TenantId(before) if before else None,
        )

    def back_effects(self, context: SetupContext, look: Look, done: Done) -> Sequence[Effect]:
        return [Effect(context.tools_server, FIELD, look.fields[FIELD] == done.before[FIELD])]

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        now = gaps[FIELD].now
        order.log(f"S2STenantId {now} → {gaps[FIELD].wanted or 'not set'}")
        context.tools.set_organization_tenant(
            context.server_order(order, FIELD),
            organization_id=OrganizationId(context.organization_id),
            unique_name=context.organization.unique_name,
            restore=OperationId(str(done.operation(FIELD))),
            expect_tenant_id=TenantId(now) if now else None,
        )
