from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Gap, Look, Order, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.identifiers import Thumbprint
from sync_setup.server_step import Effect, ServerStep

FIELD = "S2STokenIssuer"


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

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.deployment.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        issuer = context.tools.get_deployment().token_issuer
        shown = (
            {"public certificate before": base64.b64encode(issuer.raw).decode()} if issuer else {}
        )
        return Look({FIELD: issuer.thumbprint if issuer else None}, shown)

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


def _short(thumbprint: str | None) -> str:
    return f"…{thumbprint[-4:]}" if thumbprint else "not set"
