from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.errors import BadInput, Refused
from portal.jobs.step import Gap, Look, NeedsPerson, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.models import EntraTenant

FIELD = "tenant access"
HANDED_BACK = "handed back"
# What Entra ID answers once the app is gone,
APP_GONE = "AADSTS700016"
# or once the credential that was used has been removed, or has run out.
CREDENTIAL_GONE = ("AADSTS7000215", "AADSTS7000222", "AADSTS700027")


class HandBackTenantAccess(Step[SetupContext]):
    """Wait until the setup app is gone from the tenant: proven by a token request that Entra ID refuses.

    Nothing can be asked of Graph once the app is deleted, so the refusal itself is the proof: of the
    very app, and with the very credential, that had access in this job.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online: the app may be deleted afterwards
    """

    key = "hand-back-tenant-access"
    title = "Tenant access is handed back"
    group = "Entra ID: access of the setup app"
    system = "Microsoft Entra ID"
    undo = "Access that was handed back is given anew by the tenant's administrator; a later job asks for it."
    notice = (
        "A tenant administrator deletes the setup app, or its credential, when the job asks for it."
    )

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.tenant.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        if context.tenant.keeps_access:
            return Look({}, {"asked for": False})
        try:
            context.tokens().token()
        except BadInput as none_given:
            answer = none_given.code
        except Refused as refusal:
            answer = refusal.code
        else:
            return Look({FIELD: None}, {"answer": "a token"})
        why = _no_proof(context, answer)
        if why:
            return Look({FIELD: None}, {"answer": answer, "no proof": why})
        return Look({FIELD: HANDED_BACK}, {"answer": answer})

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return dict.fromkeys(look.fields, HANDED_BACK)

    def ask(self, context: SetupContext) -> NeedsPerson:
        what = (
            "certificate" if context.tenant.access == EntraTenant.Access.CERTIFICATE else "secret"
        )
        before, now = _entered_with(context), context.setup_app()
        app = before.get("client_id") or context.tenant.client_id
        text = (
            f"Delete the setup app ({app}) in {context.tenant.name}, or its {what}. "
            "The job goes on by itself once Entra ID refuses it a token."
        )
        if now.get("client_id") != before.get("client_id"):
            text += (
                " The tenant's page names another app by now, or none, and a refusal of that proves "
                f"nothing: enter {app} there again."
            )
        elif now != before:
            text += (
                f" The {what} on the tenant's page is another one than the job entered with, so only "
                "the deletion of the app itself can be proven."
            )
        return NeedsPerson(text, look_again_s=context.person_poll_s)

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        raise self.ask(context)


def _entered_with(context: SetupContext) -> Mapping[str, str]:
    """App and credential with which this job had access; empty while a plan is made."""
    return context.made.get("provide-tenant-access", {})


def _no_proof(context: SetupContext, answer: str) -> str:
    """Say why a refusal does not prove that access was handed back; empty where it does."""
    before, now = _entered_with(context), context.setup_app()
    if not before.get("client_id") or now.get("client_id") != before["client_id"]:
        return "it is about another app than the one that had access"
    # Whether the app is there at all does not depend on the credential that is shown to it.
    if answer.endswith(APP_GONE):
        return ""
    if now != before:
        return "it is about another credential than the one that had access"
    if not answer.endswith(CREDENTIAL_GONE):
        return "Entra ID gives another reason"
    return ""
