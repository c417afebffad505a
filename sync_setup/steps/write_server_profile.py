from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics import PROFILES
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import ProfileId, RecordId
from sync_setup.server_profiles import ACTIVE, COMPARED, STATE, compared, to_write, wanted


class WriteServerProfile(Step[SetupContext]):
    """Create the email server profile "Exchange Online (Hybrid)", or bring the one of this name to what is planned.

    The owner is a person or a team, because alerts go to the owner. Autodiscover is off and the address
    explicit. Nobody's mail is moved to Undeliverable.

    Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/emailserverprofile
    """

    key = "write-server-profile"
    title = "Create the email server profile"
    group = "Email server profile"
    system = "Dynamics 365"
    undo = "Fields go back to what they were; a profile this plan made is deactivated."

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.organization.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        profile = find_profile(context)
        if profile is None:
            return Look(dict.fromkeys(COMPARED, None))
        return Look(
            compared(profile.fields), {"etag": profile.etag}, made={"profile_id": profile.id}
        )

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return wanted(
            look.fields,
            name=context.inputs["profile_name"],
            ews_url=context.cloud.ews_url,
            owner=context.profile_owner(look.fields),
            # Taken once, when the plan is made: mail older than this is nobody's business.
            received_after=context.inputs["received_after"],
        )

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        profile = find_profile(context)
        values = {name: gap.wanted for name, gap in gaps.items()}
        if profile is None:
            order.log(f"Creates {values['name']}")
            context.dynamics.create_server_profile(
                # The same id at every attempt: a repeated POST cannot make a second profile.
                ProfileId(RecordId(str(order.operation("profile")))),
                to_write(values),
            )
            return
        order.log(f"Changes {', '.join(sorted(values))} of {profile.fields['name']}")
        if fields := to_write(values):
            context.dynamics.update(PROFILES, profile.id, fields, profile.etag)
        if STATE in values:
            fresh = context.dynamics.server_profile(ProfileId(profile.id), (STATE,))
            context.dynamics.set_profile_active(
                ProfileId(profile.id), values[STATE] == ACTIVE, fresh.etag
            )


def find_profile(context: SetupContext) -> Record | None:
    """Give the profile of the name the requester chose, active or not."""
    name = context.inputs["profile_name"]
    rows = context.dynamics.server_profiles(COMPARED)
    found = [row for row in rows if row.fields.get("name") == name]
    return found[0] if found else None
