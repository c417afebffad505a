from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.errors import BadInput, Refused
from portal.jobs.step import Gap, Look, NeedsPerson, Order, Planned, Step, Unplannable, Value
from sync_setup.context import SetupContext

# What a plan finds says nothing about later: access may come, and go, between the plan and its start.
FIELD = "tenant access, while the job runs"
PROVIDED = "provided"
NEEDED = frozenset({"Application.ReadWrite.All", "Organization.Read.All"})


class ProvideTenantAccess(Step[SetupContext]):
    """Wait until the tenant's administrator has let the setup app in; often another department.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, "Register an application"
    """

    key = "provide-tenant-access"
    title = "Tenant access is provided"
    group = "Entra ID: access of the setup app"
    system = "Microsoft Entra ID"
    undo = "Nothing is changed."
    seen_until = "hand-back-tenant-access"

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.tenant.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        try:
            token = context.tokens().token()
        except (Refused, BadInput) as refusal:
            if self._must_see(context):
                raise self._locked_out(context) from refusal
            return Look({FIELD: None}, {"now": "not provided", "answer": refusal.code})
        missing = sorted(NEEDED - set(token.roles))
        shown = {
            "now": "not provided" if missing else PROVIDED,
            "token tenant": token.tenant_id,
            "app roles": list(token.roles),
            "missing": missing,
        }
        if missing and self._must_see(context):
            raise self._locked_out(context)
        # A person gives access whenever it lacks, so a plan never counts on what it found.
        provided = not missing and not context.is_planning
        return Look({FIELD: PROVIDED if provided else None}, shown, context.setup_app())

    def _must_see(self, context: SetupContext) -> bool:
        """A plan that takes back what is in Entra ID says what is there now, so it cannot be made without access."""
        return context.is_undo and context.is_planning

    def _locked_out(self, context: SetupContext) -> Unplannable:
        return Unplannable(
            f"The setup app has no access to {context.tenant.name}, so what the job added in Entra ID can "
            "neither be looked at nor taken back. Access was handed back with that job.",
            remedy="A tenant administrator makes a setup app again and grants "
            f"{' and '.join(sorted(NEEDED))} (application permissions, with admin consent). Enter its "
            "id and secret or certificate on the tenant's page, then run the checks again.",
        )

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return {FIELD: PROVIDED}

    def ask(self, context: SetupContext) -> NeedsPerson:
        return NeedsPerson(
            f"The setup app has no access to {context.tenant.name}. A tenant administrator grants "
            f"{' and '.join(sorted(NEEDED))} (application permissions, with admin consent), and the "
            "app's id and secret or certificate are entered on the tenant's page.",
            look_again_s=context.person_poll_s,
        )

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        raise self.ask(context)
