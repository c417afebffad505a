"""Create one email server profile, or bring it to what is planned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.claim import database_clock
from portal.jobs.step import Done, Gap, Look, Order, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.dynamics import MAILBOXES, PROFILES
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import ProfileId, RecordId
from sync_setup.gateways.odata import same_id
from sync_setup.server_profiles import ACTIVE, COMPARED, INACTIVE, STATE, compared, to_write
from sync_setup.settling import settling

PROFILE_OF = "_emailserverprofile_value"
OTHERS = "mailboxes on it beside the pilot"


class ServerProfileStep(Step[SetupContext]):
    """A step about one email server profile; where there is none, it is made."""

    group = "Email server profile"
    system = "Dynamics 365"
    settle_s = settling(30.0)
    undo = (
        "A plan of its own can write fields and state back. A profile that this plan makes is not "
        "deleted but deactivated, once no mailbox needs it."
    )

    @abstractmethod
    def find(self, context: SetupContext) -> Record | None:
        """Give the profile, active or not; None where it is to be made."""

    takes_back = True
    back_notice = "Mailboxes on the profile use its earlier settings from the next sync cycle on."

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [context.organization.resource]

    def look(self, context: SetupContext, mark: Any) -> Look:
        found = self.find(context)
        if found is None:
            return Look(dict.fromkeys(COMPARED, None))
        shown: dict[str, Any] = {"etag": found.etag}
        if context.is_undo:
            shown[OTHERS] = self._other_mailboxes(context, found)
        return Look(compared(found.fields), shown, made={"profile_id": found.id})

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        values = {name: gap.wanted for name, gap in gaps.items()}
        if "profile_id" not in look.made:
            order.log(f"Creates {values['name']}")
            context.dynamics.create_server_profile(
                # The same id at every attempt: a repeated POST cannot make a second profile.
                ProfileId(RecordId(str(order.operation("profile")))),
                to_write(values),
            )
            return
        order.log(f"Changes {', '.join(sorted(values))} of {look.fields['name']}")
        profile, etag = ProfileId(RecordId(look.made["profile_id"])), look.shown["etag"]
        fields, state = to_write(values), values.get(STATE)
        if state is None:
            context.dynamics.update(PROFILES, profile, fields, etag)
            return
        if fields:
            etag = context.dynamics.update_before_another(PROFILES, profile, fields, etag)
        context.dynamics.set_profile_active(profile, state == ACTIVE, etag)

    def back(self, context: SetupContext, look: Look, done: Done) -> Mapping[str, Value]:
        if not _was_made(done):
            return super().back(context, look, done)
        # A profile that was made is switched off, and nothing else of it changes.
        goes_off = look.fields[STATE] == ACTIVE and not look.shown.get(OTHERS)
        return dict(look.fields) | ({STATE: INACTIVE} if goes_off else {})

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        self.change(context, look, gaps, order)

    def foreign(self, context: SetupContext, look: Look, done: Done) -> list[str]:
        needed = [STATE] if _was_made(done) and look.shown.get(OTHERS) else []
        return sorted({*super().foreign(context, look, done), *needed})

    def stays(self, done: Done) -> str:
        if not _was_made(done):
            return ""
        return (
            f"The profile {done.after.get('name') or ''} is switched off, not deleted: its name and "
            "settings stay. While mailboxes beside the pilot use it, it stays on as well."
        )

    def _other_mailboxes(self, context: SetupContext, profile: Record) -> int:
        """Count the mailboxes on the profile, without the pilot, which is taken off it first."""
        pilot = context.pilot().id if context.inputs.get("pilot") else ""
        rows = context.dynamics.records(MAILBOXES, ("name",), same_id(PROFILE_OF, profile.id))
        return sum(row.id != pilot for row in rows)


def _was_made(done: Done) -> bool:
    return done.before.get("name") is None


def find_by_name(context: SetupContext, name: str) -> Record | None:
    """Give the profile of exactly this name, active or not."""
    rows = context.dynamics.server_profiles(COMPARED)
    return next((row for row in rows if row.fields.get("name") == name), None)


def this_minute() -> str:
    """Give the minute in which a plan is made, as Dynamics writes it; the plan keeps it from then on."""
    return f"{database_clock():%Y-%m-%dT%H:%M:00Z}"
