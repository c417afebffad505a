from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from portal.errors import Conflict, NotSettled, Refused
from portal.jobs.step import Gap, KnownAfter, Look, NotYet, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.diagnosis import diagnose
from sync_setup.gateways.dynamics import MAILBOXES
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import MailboxId

PROFILE = "_emailserverprofile_value"
APPROVAL = "emailrouteraccessapproval"
SCHEDULED = "testemailconfigurationscheduled"
COMPLETED = "testmailboxaccesscompletedon"
SYNCED = "lastsuccessfulsynccompletedon"
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
STUCK_S = 30 * 60
ERROR_LEVEL = 2  # tracelog.level: 2 Warning, 3 Error


class ProvePilotMailbox(Step[SetupContext]):
    """Prove it with one mailbox: Test & Enable, three results, then one sync cycle without an alert.

    The answer of the test is Dynamics' own: it succeeds only if every link of the chain is in place.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, "Test email configuration and enable mailboxes"
    """

    key = "prove-pilot-mailbox"
    title = "Prove it with the pilot mailbox"
    group = "Proof"
    system = "Dynamics 365"
    undo = "Profile, delivery methods and approval of the pilot mailbox go back to what they were."
    settle_s = 120.0

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [f"mailboxes:{context.organization.pk}"]

    def look(self, context: SetupContext, mark: Any) -> Look:
        mailbox = context.pilot()
        fields: dict[str, Value] = {
            name: mailbox.fields.get(name) for name in (PROFILE, *METHODS, APPROVAL)
        }
        fields |= self._results(context, mailbox, mark)
        return Look(fields, {"mailbox": mailbox.id, COMPLETED: mailbox.fields.get(COMPLETED)})

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return {
            PROFILE: KnownAfter("write-server-profile", "profile_id"),
            **METHODS,
            APPROVAL: 1,
            **{f"test result, {name}": "Success" for name in RESULTS},
            CYCLE: PASSED,
        }

    def mark(self, context: SetupContext, look: Look) -> Any:
        return {
            "completed": look.shown[COMPLETED],
            "asked_at": datetime.now(UTC).isoformat(),
        }

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        mailbox = context.pilot()
        values = {
            name: gap.wanted for name, gap in gaps.items() if name in METHODS or name == PROFILE
        }
        if PROFILE in values:
            values["emailserverprofile@odata.bind"] = f"/emailserverprofiles({values.pop(PROFILE)})"
        approval = {APPROVAL: 1} if APPROVAL in gaps else {}
        if values or approval:
            order.log(f"Sets profile, methods and approval of {mailbox.fields.get('name')}")
            self._set(context, mailbox, values, approval)
        if any(name.startswith("test result") for name in gaps):
            order.log("Asks for Test & Enable; Dynamics runs it in its own time.")
            fresh = context.pilot()
            context.dynamics.update(MAILBOXES, fresh.id, {SCHEDULED: True}, fresh.etag)

    def _set(
        self,
        context: SetupContext,
        mailbox: Record,
        values: dict[str, Any],
        approval: dict[str, Any],
    ) -> None:
        """Write both in one call; where approval alone is refused, the rest must not be lost with it."""
        try:
            context.dynamics.update(MAILBOXES, mailbox.id, values | approval, mailbox.etag)
        except Refused:
            if not values or not approval:
                raise
            context.dynamics.update(MAILBOXES, mailbox.id, values, mailbox.etag)
            context.dynamics.update(MAILBOXES, mailbox.id, approval, context.pilot().etag)

    def _results(self, context: SetupContext, mailbox: Record, mark: Any) -> dict[str, Value]:
        """What this step's own test said; nothing older counts.

        :raises NotYet: while Dynamics is at it. :raises NotSettled: when a result is a failure.
        """
        fields = mailbox.fields
        if mark is None or (
            fields.get(COMPLETED) == mark["completed"] and not fields.get(SCHEDULED)
        ):
            return {f"test result, {name}": None for name in RESULTS} | {CYCLE: None}
        asked_at = datetime.fromisoformat(mark["asked_at"])
        if fields.get(SCHEDULED):
            self._wait_for_test(asked_at)
        failed = [name for name, status in RESULTS.items() if fields.get(status) != SUCCESS]
        since = _instant(fields.get(COMPLETED))
        alerts = [
            row
            for row in context.dynamics.alerts(MailboxId(mailbox.id), since)
            if int(row.fields.get("level") or 0) >= ERROR_LEVEL
        ]
        if failed or alerts:
            raise _failure(failed, [str(row.fields.get("text") or "") for row in alerts])
        results: dict[str, Value] = {f"test result, {name}": "Success" for name in RESULTS}
        synced = fields.get(SYNCED)
        if not synced or _instant(synced) <= since:
            self._wait_for_cycle(since)
        return results | {CYCLE: PASSED}

    def _wait_for_test(self, asked_at: datetime) -> None:
        age = (datetime.now(UTC) - asked_at).total_seconds()
        if age > STUCK_S:
            raise Conflict(
                "Dynamics has not finished the test for 30 minutes.",
                remedy="Check that the asynchronous services run on every server; look at their event log.",
                code="SSS-MBX-STUCK-SCHEDULED",
                system="Dynamics 365",
            )
        raise NotYet(max(1.0, min(60.0, age)), "Waits for the results of the pilot mailbox.")

    def _wait_for_cycle(self, since: datetime) -> None:
        age = (datetime.now(UTC) - since).total_seconds()
        if age > 4 * settings.SYNC_CYCLE_S:
            raise NotSettled(
                "The test succeeded, but no sync cycle has followed it.",
                remedy="Check that the asynchronous services run, and the mailbox's alerts in Dynamics.",
                code="SSS-MBX-NO-CYCLE",
            )
        again = min(30.0, max(1.0, settings.SYNC_CYCLE_S / 4))
        until = since + timedelta(seconds=settings.SYNC_CYCLE_S)
        raise NotYet(
            again,
            f"All three results say Success; waits for one sync cycle without an alert, about {until:%H:%M} UTC.",
        )


def _failure(failed: list[str], alerts: list[str]) -> NotSettled:
    causes = [cause for text in alerts for cause in diagnose(text)]
    what = f"Failed: {', '.join(failed)}." if failed else "A sync cycle brought an alert."
    told = f" Dynamics says: {alerts[0][:400]}" if alerts else ""
    return NotSettled(
        f"The pilot mailbox does not work. {what}{told}",
        remedy="\n".join(dict.fromkeys(cause.fix for cause in causes))
        or "Read the mailbox's alerts in Dynamics.",
        code=f"SSS-{causes[0].id.replace('_', '-')}" if causes else "SSS-MBX-TEST",
    )


def _instant(value: Any) -> datetime:
    if not value:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
