from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Done, Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.identifiers import CRM_APP_ID, ServicePrincipalId
from sync_setup.settling import settling

FIELD = "servicePrincipalNames"


class RegisterPrincipalName(Step[SetupContext]):
    """Make sure the CRM application answers to its own id. Every other name stays.

    Source: ConfigureCrmServerSideSync.ps1, region ServicePrincipalOperations
    """

    key = "register-principal-name"
    title = "Add the application id to its principal names"
    group = "Entra ID: application Dynamics CRM"
    system = "Microsoft Graph"
    undo = "A plan of its own can take the added name away; every other name stays."
    takes_back = True
    settle_s = settling(300.0)
    reads_may_be_stale = True
    seen_until = "hand-back-tenant-access"

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.tenant.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        principal = context.graph.service_principal()
        names = context.graph.principal_names(principal.id)
        return Look({FIELD: sorted(names)}, {"principal": principal.id})

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        names = set(look.fields[FIELD])
        if CRM_APP_ID not in {name.lower() for name in names}:
            names.add(CRM_APP_ID)
        return {FIELD: sorted(names)}

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        order.log(f"Adds {CRM_APP_ID}; keeps every other name.")
        context.graph.add_principal_name(
            ServicePrincipalId(look.shown["principal"]), CRM_APP_ID, known=look.fields[FIELD]
        )

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        wanted = gaps[FIELD].wanted
        gone = sorted(set(look.fields[FIELD]) - set(wanted))
        order.log(f"Takes {', '.join(gone)} away; keeps every other name.")
        context.graph.set_principal_names(ServicePrincipalId(look.shown["principal"]), wanted)
