from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.errors import BadInput, Refused
from portal.jobs.step import Gap, Look, NeedsPerson, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.models import EntraTenant

FIELD = "tenant access"
HANDED_BACK = "handed back"
# What Entra ID answers once the app is gone, or its credential has been removed or has run out.
PROOFS = ("AADSTS700016", "AADSTS7000215", "AADSTS7000222", "AADSTS700027")


class HandBackTenantAccess(Step[SetupContext]):
    """Wait until the setup app is gone from the tenant: proven by a token request that Entra ID refuses.

    Nothing can be asked of Graph once the app is deleted, so the refusal itself is the proof.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online: the app may be deleted afterwards
    """

    key = "hand-back-tenant-access"
    title = "Tenant access is handed back"
    group = "Entra ID: access of the setup app"
    system = "Microsoft Entra ID"
    undo = "A later job asks for access anew."
    notice = (
        "A tenant administrator deletes the setup app, or its credential, when the job asks for it."
    )

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.tenant.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        try:
            context.tokens().token()
        except BadInput as none_given:
            return Look({FIELD: HANDED_BACK}, {"answer": none_given.code})
        except Refused as refusal:
            proven = refusal.code.endswith(PROOFS)
            return Look({FIELD: HANDED_BACK if proven else None}, {"answer": refusal.code})
        return Look({FIELD: None}, {"answer": "a token"})

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        if context.tenant.keeps_access:
            return dict(look.fields)
        return {FIELD: HANDED_BACK}

    def ask(self, context: SetupContext) -> NeedsPerson:
        what = (
            "certificate" if context.tenant.access == EntraTenant.Access.CERTIFICATE else "secret"
        )
        return NeedsPerson(
            f"Delete the setup app ({context.tenant.client_id}) in {context.tenant.name}, or its {what}. "
            "The job goes on by itself once Entra ID refuses it a token.",
            look_again_s=context.person_poll_s,
        )

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        raise self.ask(context)
