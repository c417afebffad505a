"""Verbs that tell: how jobs stand, what is in them, what has happened."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from portal.audit import events
from portal.audit.models import Entry
from portal.command_line.outcome import Exit, Outcome, as_json
from portal.errors import BadInput
from portal.jobs import shown
from portal.jobs.actions import sending_of
from portal.jobs.models import Job, LogLine, Plan
from portal.jobs.states import JobState, look_of
from sync_setup.command_line.facts import (
    check_facts,
    decision_facts,
    entry_facts,
    job_facts,
    log_facts,
    plan_facts,
    run_facts,
)
from sync_setup.command_line.places import job_for, organization_for
from sync_setup.command_line.verb import (
    Call,
    Verb,
    add_job,
    add_timeout,
    job_number,
)
from sync_setup.command_line.waiting import LOOK_EVERY_S, StillAtWork, fresh
from sync_setup.command_line.words import (
    checks_text,
    entry_text,
    job_text,
    log_text,
    plan_text,
    steps_text,
)

LINES, ENTRIES, JOBS = 20, 50, 100


def _show_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument(
        "--log", type=int, default=LINES, metavar="N", help=f"lines of its log (default: {LINES})"
    )


def _show(call: Call) -> Outcome:
    job = job_for(call.by, call.options["job"])
    steps = shown.steps_of(job)
    lines = [line for chunk in _log(job, call.options["log"]) for line in chunk]
    facts = job_facts(job) | {
        "checks": check_facts(job),
        "plan": plan_facts(job.plan),
        "decisions": decision_facts(job),
        "run": run_facts(steps),
        "log": [log_facts(line) for line in lines],
    }
    parts = [job_text(job), checks_text(job)]
    parts += [plan_text(job.plan)] if job.plan else []
    parts += [f"Steps\n{steps_text(job, steps)}"] if steps else []
    parts += ["Log\n" + "\n".join(f"  {log_text(line)}" for line in lines)] if lines else []
    if job.state == JobState.AWAITING_APPROVAL and job.plan:
        parts.append(_how_to_approve(job, job.plan))
    return Outcome(facts, "\n\n".join(parts))


def _how_to_approve(job: Job, plan: Plan) -> str:
    if shown.window_passed(job):
        return (
            "The change window has passed, so nobody can approve this plan any more.\n"
            "  To do: send it back, or withdraw it; then it is sent with another window."
        )
    proof = " --proof …" if plan.proof else ""
    given = f"--digest {plan.digest} --sent {sending_of(job)}{proof}"
    return f"To approve what you have read here:\n  manage.py sss approve {job.name} {given}"


def _log(job: Job, limit: int) -> list[list[LogLine]]:
    return shown.log_shown(job, limit=max(limit, 0)).chunks if limit > 0 else []


def _status_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "job", metavar="J-n", type=job_number, nargs="?", help="without it all open jobs"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="print its log until it ends or only a person can go on",
    )
    add_timeout(parser, "the end, with --follow", None)


def _status(call: Call) -> Outcome:
    if call.options["job"]:
        job = job_for(call.by, call.options["job"])
        if call.options["follow"]:
            return _Following(call, job).to_its_end()
        steps = shown.steps_of(job)
        text = "\n\n".join([job_text(job), *([steps_text(job, steps)] if steps else [])])
        return Outcome(job_facts(job) | {"run": run_facts(steps)}, text)
    if call.options["follow"]:
        raise BadInput("Name the job to follow.", field="job")
    related = Job.objects.for_person(call.by).select_related("scope", "plan", "requester")
    jobs = list(related.unfinished().order_by("-number")[:JOBS])
    lines = [_row(job) for job in jobs]
    return Outcome({"jobs": [job_facts(job) for job in jobs]}, "\n".join(lines) or "No open job.")


def _row(job: Job) -> str:
    word = look_of(JobState(job.state)).word
    return f"{job.name:<8} {word:<18} {shown.headline(job)}" + (f": {job.note}" if job.note else "")


class _Following:
    """Print what happens to one job until nothing goes on by itself."""

    def __init__(self, call: Call, job: Job) -> None:
        self.call, self.job, self.state, self.note, self.seq = call, job, "", "", 0

    def to_its_end(self) -> Outcome:
        """Follow; a job that needs a person is followed on while it looks by itself.

        :raises StillAtWork: when the time to wait is over.
        """
        seconds: float | None = self.call.options["timeout"]
        began = time.monotonic()
        while True:
            self.job = fresh(self.job)
            self._print_new()
            if _rests(self.job):
                return self._end(_code_of(self.job))
            if seconds is not None and time.monotonic() - began > seconds:
                if self.job.state == JobState.NEEDS_PERSON:
                    return self._end(Exit.NEEDS_PERSON)
                raise StillAtWork(self.job, seconds)
            time.sleep(LOOK_EVERY_S)

    def _print_new(self) -> None:
        for chunk in shown.log_shown(self.job, after=self.seq).chunks:
            for line in chunk:
                self.seq = line.seq
                self._print({"event": "log"} | log_facts(line), log_text(line))
        now = (self.job.state, self.job.note)
        if now != (self.state, self.note):
            self.state, self.note = now
            word = look_of(JobState(self.job.state)).word
            facts = {"event": "state", "job": self.job.name, "state": self.job.state}
            rest = f": {self.job.note}" if self.job.note else ""
            self._print(facts | {"note": self.job.note}, f"{self.job.name}  {word}{rest}")

    def _print(self, facts: dict[str, Any], text: str) -> None:
        is_json = self.call.options["json"]
        self.call.show(as_json(facts, in_one_line=True) if is_json else text)

    def _end(self, code: Exit) -> Outcome:
        facts = (
            {"event": "end"} | job_facts(self.job) | {"run": run_facts(shown.steps_of(self.job))}
        )
        return Outcome(facts, job_text(self.job), code, is_last_line=True)


def _rests(job: Job) -> bool:
    """Tell whether nothing goes on by itself: no worker may take the job, or none is going to.

    Where the outcome is unknown, workers look now and then, but a script is not to wait for that.
    """
    is_due_some_time = job.run_after is not None or job.lease_ends_at is not None
    is_unknown = job.state == JobState.OUTCOME_UNKNOWN
    return is_unknown or not job.is_moving or not is_due_some_time


def _code_of(job: Job) -> Exit:
    if job.state == JobState.SUCCEEDED:
        return Exit.DONE
    if job.is_final or job.state == JobState.OUTCOME_UNKNOWN:
        return Exit.FAILED
    return Exit.NEEDS_PERSON


def _history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job", metavar="J-n", type=job_number, nargs="?", help="only of this job")
    parser.add_argument(
        "--organization", default="", metavar="NAME", help="only of this organization"
    )
    parser.add_argument("--event", default="", metavar="EVENT", help="such as job.approved")
    parser.add_argument(
        "--since", default="", metavar="INSTANT", help="ISO 8601; without offset UTC"
    )
    parser.add_argument(
        "--limit", type=int, default=ENTRIES, metavar="N", help=f"newest N (default: {ENTRIES})"
    )


def _history(call: Call) -> Outcome:
    options = call.options
    entries = Entry.objects.for_person(call.by).select_related("actor", "scope")
    if options["job"]:
        entries = entries.filter(job_number=job_for(call.by, options["job"]).number)
    if options["organization"]:
        entries = entries.filter(scope=organization_for(call.by, options["organization"]).scope)
    if options["event"]:
        if not events.known(options["event"]):
            known = ", ".join(events.catalogue())
            raise BadInput(
                f"History has no event {options['event']!r}.",
                remedy=f"It has: {known}",
                field="event",
            )
        entries = entries.filter(event=options["event"])
    if options["since"]:
        entries = entries.filter(at__gte=_since(options["since"]))
    rows = list(entries.order_by("-pk")[: max(options["limit"], 0)])[::-1]
    facts = {"entries": [entry_facts(row) for row in rows]}
    return Outcome(facts, "\n".join(entry_text(row) for row in rows) or "Nothing for you.")


def _since(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{text!r} is no ISO 8601 instant.",
            remedy="Write it like 2026-11-23T00:00Z.",
            field="since",
        ) from None
    return at.replace(tzinfo=at.tzinfo or UTC)


VERBS = (
    Verb("show", "Show a job: checks, plan, steps, log.", _show_arguments, _show),
    Verb("status", "Tell how a job stands, or all open ones.", _status_arguments, _status),
    Verb("history", "Tell who did what, oldest first.", _history_arguments, _history),
)
