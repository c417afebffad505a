from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Done, Gap, Look, Order, Planned, Unplannable, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.identifiers import Thumbprint
from sync_setup.server_step import Effect, ServerStep

FIELD = "S2STokenIssuer"
EVIDENCE = "public certificate before"


class SetTokenIssuer(ServerStep):
    """The cut-over: from the next restart on, CRM signs its tokens with the new certificate.

    Writes the public certificate into the configuration database; the private key stays where it is.

    Source: https://learn.microsoft.com/powershell/module/microsoft.crm.powershell/set-crmcertificate
    """

    key = "set-token-issuer"
    title = "Make the certificate the token issuer (the cut-over)"
    group = "CRM configuration database"
    system = "CRM deployment"
    undo = (
        "A plan of its own can make the certificate before the token issuer again: its public part is "
        "kept here, its key must still be on the servers. The async services then restart once more, and "
        "the pilot mailbox is to be tested again."
    )

    takes_back = True
    back_notice = (
        "Every organization of this deployment whose tokens the certificate signs: from the restart on "
        "CRM signs with the one before, or with none."
    )

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.deployment.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        issuer = context.tools.get_deployment().token_issuer
        shown: dict[str, Any] = {EVIDENCE: base64.b64encode(issuer.raw).decode()} if issuer else {}
        if context.is_undo:
            shown["other organizations that ask for tokens with it"] = self._others(context)
        return Look({FIELD: issuer.thumbprint if issuer else None}, shown)

    def _others(self, context: SetupContext) -> list[str]:
        """Name the deployment's other organizations with a tenant id, for whoever approves that the issuer goes back."""
        ids = [row.id for row in context.tools.get_deployment().organizations]
        found = [
            row
            for organization_id in ids
            if organization_id != context.organization_id
            for row in context.tools.get_deployment(organization_id).organizations
            if row.id == organization_id and row.s2s_tenant_id
        ]
        return sorted(row.unique_name for row in found)

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return {FIELD: context.chosen_certificate().thumbprint}

    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        holds = look.fields[FIELD] == context.chosen_certificate().thumbprint
        return [Effect(context.tools_server, FIELD, holds)]

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        certificate = context.chosen_certificate()
        before = gaps[FIELD].now
        order.log(f"Token issuer {_short(before)} → {_short(certificate.thumbprint)}")
        context.tools.set_token_issuer(
            context.server_order(order, FIELD),
            certificate_der=bytes(certificate.public_der),
            expect_thumbprint=Thumbprint(before) if before else None,
        )

    def back(self, context: SetupContext, look: Look, done: Done) -> Mapping[str, Value]:
        """Say what the issuer is to be.

        :raises Unplannable: when the public part of the certificate before was not kept.
        """
        wanted = super().back(context, look, done)
        if wanted[FIELD] not in (None, look.fields[FIELD]) and EVIDENCE not in done.shown:
            raise Unplannable(
                f"The public part of the token issuer before ({_short(wanted[FIELD])}) was not kept.",
                remedy="Make that certificate the token issuer with Set-CrmCertificate, then check again.",
            )
        return wanted

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
        now, wanted = gaps[FIELD].now, gaps[FIELD].wanted
        order.log(f"Token issuer {_short(now)} → {_short(wanted)}")
        context.tools.set_token_issuer(
            context.server_order(order, FIELD),
            certificate_der=base64.b64decode(done.shown[EVIDENCE]) if wanted else None,
            expect_thumbprint=Thumbprint(now) if now else None,
        )


def _short(thumbprint: str | None) -> str:
    return f"…{thumbprint[-4:]}" if thumbprint else "not set"
