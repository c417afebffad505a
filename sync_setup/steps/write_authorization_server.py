from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Done, Gap, Look, Order, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.identifiers import OperationId
from sync_setup.server_step import Effect, ServerStep

PRINCIPAL = "ServerSettings.S2SDefaultAuthorizationServerPrincipalId"
METADATA = "ServerSettings.S2SDefaultAuthorizationServerMetadataUrl"
EFFECT = "authorization server"
OF_ALL = "It holds for the whole deployment: every organization on it asks for its tokens by what is written back."


class WriteAuthorizationServer(ServerStep):
    """Point the deployment at the token service that Exchange Online trusts.

    The server writes values of its own closed table; no address can be named from here.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, Set-CrmAdvancedSetting
    """

    key = "write-authorization-server"
    title = "Point the deployment at the authorization server"
    group = "CRM configuration database"
    system = "CRM deployment"
    undo = (
        "A plan of its own can have the CRM server write back what it recorded before; the async "
        "services then restart once more."
    )

    takes_back = True
    back_notice = OF_ALL

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.deployment.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        found = context.tools.get_deployment()
        return Look(
            {
                PRINCIPAL: found.authorization_principal_id or None,
                METADATA: found.authorization_metadata_url or None,
            }
        )

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return _of_cloud(context)

    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        return [Effect(context.tools_server, EFFECT, dict(look.fields) == _of_cloud(context))]

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        order.log(f"Writes both values of the cloud {context.cloud.server_table}.")
        context.tools.set_authorization_server(
            context.server_order(order, EFFECT),
            cloud=context.cloud.server_table,
            expect_principal_id=look.fields[PRINCIPAL] or "",
            expect_metadata_url=look.fields[METADATA] or "",
        )

    def back(self, context: SetupContext, look: Look, done: Done) -> Mapping[str, Value]:
        # The server writes back both or none, so one that is somebody else's keeps the other.
        is_ours = dict(look.fields) == dict(done.after)
        return dict(done.before) if is_ours else dict(look.fields)

    def back_effects(self, context: SetupContext, look: Look, done: Done) -> Sequence[Effect]:
        return [Effect(context.tools_server, EFFECT, dict(look.fields) == dict(done.before))]

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        order.log("Has the server write back both values as it recorded them.")
        context.tools.set_authorization_server(
            context.server_order(order, EFFECT),
            restore=OperationId(str(done.operation(EFFECT))),
            expect_principal_id=look.fields[PRINCIPAL] or "",
            expect_metadata_url=look.fields[METADATA] or "",
        )


def _of_cloud(context: SetupContext) -> dict[str, Value]:
    return {
        PRINCIPAL: context.cloud.authorization_principal_id,
        METADATA: context.cloud.metadata_url,
    }
