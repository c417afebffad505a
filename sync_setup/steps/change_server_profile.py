from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.jobs.step import Look, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import ProfileId, RecordId
from sync_setup.server_profile_step import ServerProfileStep, find_by_name, this_minute
from sync_setup.server_profiles import OWNER, wanted


class ChangeServerProfile(ServerProfileStep):
    """Change fields or the owner of one email server profile, switch it on or off, or create it.

    Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/emailserverprofile
    """

    key = "change-server-profile"
    title = "Change the email server profile"
    notice = "Mailboxes on a profile that is switched off stop synchronizing."

    def find(self, context: SetupContext) -> Record | None:
        if profile_id := context.inputs["profile_id"]:
            return context.dynamics.server_profile(ProfileId(RecordId(profile_id)))
        return find_by_name(context, str(context.inputs["values"].get("name")))

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        values: dict[str, Value] = context.inputs["values"]
        owner = context.profile_owner(look.fields)
        if look.fields["name"] is not None:
            return dict(look.fields) | {OWNER: owner} | values
        fresh = wanted(
            look.fields,
            name=values["name"],
            ews_url=context.cloud.ews_url,
            owner=owner,
            # Mail older than the plan is nobody's business.
            received_after=this_minute(),
        )
        return fresh | values
