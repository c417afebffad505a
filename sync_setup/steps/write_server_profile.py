from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.jobs.step import Look, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics_session import Record
from sync_setup.server_profile_step import ServerProfileStep, find_by_name, this_minute
from sync_setup.server_profiles import wanted


class WriteServerProfile(ServerProfileStep):
    """Create the email server profile "Exchange Online (Hybrid)", or bring the one of this name to what is planned.

    The owner is a person or a team, because alerts go to the owner. Autodiscover is off and the address
    explicit. Nobody's mail is moved to Undeliverable.

    Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/emailserverprofile
    """

    key = "write-server-profile"
    title = "Create the email server profile"

    def find(self, context: SetupContext) -> Record | None:
        return find_by_name(context, context.inputs["profile_name"])

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return wanted(
            look.fields,
            name=context.inputs["profile_name"],
            ews_url=context.cloud.ews_url,
            owner=context.profile_owner(look.fields),
            # Mail older than the plan is nobody's business.
            received_after=this_minute(),
        )
