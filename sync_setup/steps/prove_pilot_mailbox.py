from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from portal.errors import Refused
from portal.jobs.step import (
    Done,
    Failed,
    Gap,
    KnownAfter,
    Look,
    NotYet,
    Order,
    Planned,
    Step,
    Value,
)
from sync_setup.context import SetupContext
from sync_setup.diagnosis import diagnose
from sync_setup.gateways.dynamics import MAILBOXES
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import MailboxId, RecordId
from sync_setup.server_profiles import bound_profile
from sync_setup.settling import settling

PROFILE = "_emailserverprofile_value"
APPROVAL = "emailrouteraccessapproval"
# The record itself: an address can be given to another mailbox after approval.
MAILBOX = "mailbox"
SCHEDULED = "testemailconfigurationscheduled"
COMPLETED = "testmailboxaccesscompletedon"
SYNCED = "lastsuccessfulsynccompletedon"
CHANGED = "modifiedon"
# actdeliverymethod counts differently: 1 is server-side synchronization (option sets of mailbox).
METHODS = {
    "incomingemaildeliverymethod": 2,
    "outgoingemaildeliverymethod": 2,
    "actdeliverymethod": 1,
}
RESULTS = {
    "incoming": "incomingemailstatus",
    "outgoing": "outgoingemailstatus",
    "appointments, contacts and tasks": "actstatus",
}
SUCCESS = 1
CYCLE = "one sync cycle without an alert"
PASSED = "passed"
_RESULT = "test result, "
STUCK_S = 30 * 60
ERROR_LEVEL = 2  # tracelog.level: 2 Warning, 3 Error


def _result(name: str) -> str:
    return f"{_RESULT}{name}"


_NO_RESULTS: dict[str, Value] = {**{_result(name): None for name in RESULTS}, CYCLE: None}


class ProvePilotMailbox(Step[SetupContext]):
    """Prove it with one mailbox: Test & Enable, three results, then one sync cycle without an alert.

    The answer of the test is Dynamics' own: it succeeds only if every link of the chain is in place.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, "Test email configuration and enable mailboxes"
    """

    key = "prove-pilot-mailbox"
    title = "Prove it with the pilot mailbox"
    group = "Proof"
    system = "Dynamics 365"
    # Exchange keeps the id of the organization that synchronizes a mailbox's appointments, contacts and
    # tasks; a second organization gets it only where it is marked as primary
    # (orgmarkedasprimaryforexchangesync), and no interface takes it back.
    is_reversible = False
    undo = (
        "The test has Exchange Online keep this organization as the one that synchronizes the pilot "
        "mailbox's appointments, contacts and tasks: that stays, and so do the results of the test. "
        "Profile, delivery methods and approval of the mailbox can be written back by a plan of its own."
    )
    notice = (
        "The pilot mailbox's user: its email, appointments, contacts and tasks synchronize with this "
        "organization from then on, and with no other one."
    )
    settle_s = settling(120.0)
    renews_mark = True  # a retry asks for a test of its own
    takes_back = True
    back_notice = "The pilot mailbox's user: the mailbox synchronizes as it did before the proof, or not at all."

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [f"mailboxes:{context.organization.pk}"]

    def look(self, context: SetupContext, mark: Any) -> Look:
        mailbox = context.pilot()
        names = (PROFILE, *METHODS, APPROVAL)
        fields: dict[str, Value] = {name: mailbox.fields.get(name) for name in names}
        fields |= {MAILBOX: mailbox.id, **_NO_RESULTS}
        shown = {"etag": mailbox.etag, COMPLETED: mailbox.fields.get(COMPLETED)}
        return self._with_results(context, mailbox, mark, Look(fields, shown))

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return {
            MAILBOX: look.fields[MAILBOX],
            PROFILE: KnownAfter("write-server-profile", "profile_id"),
            **METHODS,
            APPROVAL: 1,
            **{_result(name): "Success" for name in RESULTS},
            CYCLE: PASSED,
        }

    def mark(self, context: SetupContext, look: Look) -> Any:
        return {
            "completed": look.shown[COMPLETED],
            "intended_at": context.dynamics.clock().isoformat(),
        }

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        mailbox, etag = RecordId(look.fields[MAILBOX]), look.shown["etag"]
        values, approval = _to_write(gaps)
        if values or approval:
            order.log("Sets profile, methods and approval of the pilot mailbox")
            etag = self._set(context, mailbox, values, approval, etag)
        if any(name.startswith(_RESULT) for name in gaps):
            order.log("Asks for Test & Enable; Dynamics runs it in its own time.")
            context.dynamics.update(MAILBOXES, mailbox, {SCHEDULED: True}, etag)

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        order.log("Puts profile, methods and approval of the pilot mailbox back")
        mailbox = RecordId(look.fields[MAILBOX])
        self._set(context, mailbox, *_to_write(gaps), look.shown["etag"])

    def _set(
        self,
        context: SetupContext,
        mailbox: RecordId,
        values: dict[str, Any],
        approval: dict[str, Any],
        etag: str,
    ) -> str:
        """Write both in one call; where approval alone is refused, the rest must not be lost with it.

        :return: the version of the mailbox after it.
        """
        write = context.dynamics.update_before_another
        try:
            return write(MAILBOXES, mailbox, values | approval, etag)
        except Refused:
            if not values or not approval:
                raise
            return write(MAILBOXES, mailbox, approval, write(MAILBOXES, mailbox, values, etag))

    def _with_results(self, context: SetupContext, mailbox: Record, mark: Any, look: Look) -> Look:
        """Add to a look what this step's own test said; nothing older counts.

        :raises NotYet: while Dynamics is at it.
        :raises Failed: when a result is a failure, with the look as far as it goes.
        """
        fields = mailbox.fields
        if mark is None or (
            fields.get(COMPLETED) == mark["completed"] and not fields.get(SCHEDULED)
        ):
            return look
        now = context.dynamics.clock()
        if fields.get(SCHEDULED):
            _wait_for_test(now, _instant(fields.get(CHANGED)), look)
        since = _instant(fields.get(COMPLETED))
        failed = [name for name, status in RESULTS.items() if fields.get(status) != SUCCESS]
        # A result that is no success stays as it was before: nothing of what is wanted is there.
        passed: dict[str, Value] = {_result(n): "Success" for n in RESULTS if n not in failed}
        look = replace(look, fields={**look.fields, **passed})
        # The alerts of a failing test are older than its completion.
        intended_at = datetime.fromisoformat(mark["intended_at"])
        alerts = [
            row
            for row in context.dynamics.alerts(MailboxId(mailbox.id), min(intended_at, since))
            if int(row.fields.get("level") or 0) >= ERROR_LEVEL
        ]
        # Where all results are good, older ones are about what was there before.
        cycle = [row for row in alerts if _instant(row.fields.get("createdon")) >= since]
        if failed or cycle:
            told = alerts if failed else cycle
            raise _failure(failed, [str(row.fields.get("text") or "") for row in told], look)
        synced = fields.get(SYNCED)
        if not synced or _instant(synced) <= since:
            _wait_for_cycle(now, since, look)
        return replace(look, fields={**look.fields, CYCLE: PASSED})


def _wait_for_test(now: datetime, asked_at: datetime, look: Look) -> None:
    """Wait for a test that is scheduled.

    :param asked_at: when the mailbox was changed last, by the clock of Dynamics: until the test
        ends, that is the request for it, however often it was asked for. A later change by
        somebody else only makes the wait longer.
    """
    age = (now - asked_at).total_seconds()
    if age > STUCK_S:
        raise Failed(
            "Dynamics has not finished the test for 30 minutes.",
            remedy="Check that the asynchronous services run on every server; look at their event log.",
            code="SSS-MBX-STUCK-SCHEDULED",
            look=look,
        )
    raise NotYet(max(1.0, min(60.0, age)), "Waits for the results of the pilot mailbox.")


def _to_write(gaps: Mapping[str, Gap]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give what to write of profile and methods, and of the approval."""
    values = {name: gap.wanted for name, gap in gaps.items() if name in METHODS}
    if PROFILE in gaps:
        values["emailserverprofile@odata.bind"] = bound_profile(gaps[PROFILE].wanted)
    return values, {APPROVAL: gaps[APPROVAL].wanted} if APPROVAL in gaps else {}


def _wait_for_cycle(now: datetime, since: datetime, look: Look) -> None:
    age = (now - since).total_seconds()
    if age > 4 * settings.SYNC_CYCLE_S:
        raise Failed(
            "The test succeeded, but no sync cycle has followed it.",
            remedy="Check that the asynchronous services run, and the mailbox's alerts in Dynamics.",
            code="SSS-MBX-NO-CYCLE",
            look=look,
        )
    again = min(30.0, max(1.0, settings.SYNC_CYCLE_S / 4))
    until = since + timedelta(seconds=settings.SYNC_CYCLE_S)
    raise NotYet(
        again,
        f"All three results say Success; waits for one sync cycle without an alert, about {until:%H:%M} UTC.",
    )


def _failure(failed: list[str], alerts: list[str], look: Look) -> Failed:
    causes = [cause for text in alerts for cause in diagnose(text)]
    what = f"Failed: {', '.join(failed)}." if failed else "A sync cycle brought an alert."
    told = f" Dynamics says: {alerts[0][:400]}" if alerts else ""
    return Failed(
        f"The pilot mailbox does not work. {what}{told}",
        remedy="\n".join(dict.fromkeys(cause.fix for cause in causes))
        or "Read the mailbox's alerts in Dynamics.",
        code=f"SSS-{causes[0].id.replace('_', '-')}" if causes else "SSS-MBX-TEST",
        look=look,
    )


def _instant(value: Any) -> datetime:
    if not value:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
