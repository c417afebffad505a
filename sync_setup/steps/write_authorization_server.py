from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext

PRINCIPAL = "ServerSettings.S2SDefaultAuthorizationServerPrincipalId"
METADATA = "ServerSettings.S2SDefaultAuthorizationServerMetadataUrl"


class WriteAuthorizationServer(Step[SetupContext]):
    """Point the deployment at the token service that Exchange Online trusts.

    The server writes values of its own closed table; no address can be named from here.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, Set-CrmAdvancedSetting
    """

    key = "write-authorization-server"
    title = "Point the deployment at the authorization server"
    group = "CRM configuration database"
    system = "CRM deployment"
    undo = "The CRM server writes back what it recorded before."

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
        return {
            PRINCIPAL: context.cloud.authorization_principal_id,
            METADATA: context.cloud.metadata_url,
        }

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        now = dict(self.look(context, order.mark).fields)
        order.log(f"Writes both values of the cloud {context.cloud.server_table}.")
        context.tools.set_authorization_server(
            context.server_order(order, "authorization server"),
            cloud=context.cloud.server_table,
            expect_principal_id=now[PRINCIPAL] or "",
            expect_metadata_url=now[METADATA] or "",
        )
