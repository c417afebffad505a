from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics import PROFILES
from sync_setup.gateways.identifiers import ProfileId, RecordId
from sync_setup.server_profiles import ACTIVE, COMPARED, STATE, compared, to_write, wanted


class ChangeServerProfile(Step[SetupContext]):
    """Change fields of one email server profile, switch it on or off, or create it.

    Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/emailserverprofile
    """

    key = "change-server-profile"
    title = "Change the email server profile"
    group = "Email server profile"
    system = "Dynamics 365"
    undo = "Fields and state go back to what they were; a profile this plan made is deactivated."
    notice = "Mailboxes on a profile that is switched off stop synchronizing."

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.organization.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        profile_id = context.inputs["profile_id"]
        if profile_id:
            found = context.dynamics.server_profile(ProfileId(RecordId(profile_id)))
            return Look(compared(found.fields), {"etag": found.etag}, {"profile_id": found.id})
        name = context.inputs["values"].get("name")
        for row in context.dynamics.server_profiles(COMPARED):
            if row.fields.get("name") == name:
                return Look(compared(row.fields), {"etag": row.etag}, {"profile_id": row.id})
        return Look(dict.fromkeys(COMPARED, None))

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        values: dict[str, Value] = context.inputs["values"]
        if look.fields["name"] is not None:
            return dict(look.fields) | values
        fresh = wanted(
            look.fields,
            name=values["name"],
            ews_url=context.cloud.ews_url,
            owner=context.profile_owner(look.fields),
            received_after=context.inputs["received_after"],
        )
        return fresh | values

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        values = {name: gap.wanted for name, gap in gaps.items()}
        found = self.look(context, order.mark)
        profile_id = found.made.get("profile_id")
        if profile_id is None:
            order.log(f"Creates {values['name']}")
            profile_id = str(order.operation("profile"))
            context.dynamics.create_server_profile(
                ProfileId(RecordId(profile_id)), to_write(values)
            )
            return
        if fields := to_write(values):
            order.log(f"Changes {', '.join(sorted(fields))}")
            context.dynamics.update(PROFILES, RecordId(profile_id), fields, found.shown["etag"])
        if STATE in values:
            active = values[STATE] == ACTIVE
            order.log("Switches it on" if active else "Switches it off")
            profile = ProfileId(RecordId(profile_id))
            fresh = context.dynamics.server_profile(profile, (STATE,))
            context.dynamics.set_profile_active(profile, active, fresh.etag)
