"""How one turn of a worker ends: what becomes of the job, of its locks and of its secrets."""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce, Least, Now

from portal.audit.record import record
from portal.errors import (
    Conflict,
    Garbled,
    GatewayError,
    PortalError,
    Rejected,
    Throttled,
    Unreachable,
)
from portal.jobs.claim import Claim, database_clock
from portal.jobs.closing import close
from portal.jobs.compare import Foreign
from portal.jobs.lines import counted
from portal.jobs.models import Job, JobStep, LogLine, failure_of
from portal.jobs.outcome import Outcome
from portal.jobs.states import FINAL, JobState, StepState
from portal.jobs.step import NeedsPerson, NotYet

log = logging.getLogger(__name__)

TRIES = 3  # at least so many, however long one takes, before a passing error ends a step
LONGEST_WAIT_S = 600.0  # whatever another system's Retry-After says
_FRESH: dict[str, Any] = {"attempts": 0, "failing_since": None, "lost_workers": 0}


class Drifted(Exception):
    """Fields that somebody else changed since the plan was made.

    :param outcome: what this step itself had done by then, where it was begun.
    """

    def __init__(self, foreign: list[Foreign], outcome: Outcome | None) -> None:
        super().__init__(", ".join(item.field for item in foreign))
        self.foreign = foreign
        self.outcome = outcome


@dataclass(frozen=True)
class End:
    """What to write when the worker gives the job back.

    :param again_s: seconds until it is due again; None when it rests.
    :param event: history's word, where the turn is worth a line.
    """

    state: str
    again_s: float | None = None
    event: str = ""
    note: str = ""
    failure: Mapping[str, Any] | None = None
    step: JobStep | None = None
    step_fields: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[str, str] | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    # Whether it ends the looking at an unknown outcome, though the job goes on to wait.
    is_told: bool = False
    # Whether an answer may have been lost with it.
    has_lost: bool = False


def give_back(claim: Claim, end: End) -> None:
    """Write the end of the turn, its history line and log line in one transaction, and drop the lease.

    :raises Outpaced: when the claim no longer holds; then nothing is written.
    """
    with transaction.atomic():
        if end.log:
            claim.log(end.log[1], step=end.step, level=end.log[0])
        if end.step is not None and end.step_fields:
            claim.write_step(end.step, **end.step_fields)
        if end.has_lost:
            begun = JobStep.objects.filter(job=claim.number, in_doubt=True, ended_at=None)
            begun.update(doubted_at=Now())
        final = end.state in FINAL
        # A job whose outcome is unknown keeps saying why, however often it is looked at.
        kept = claim.at_looks and end.state == JobState.OUTCOME_UNKNOWN and end.failure is None
        due = None if end.again_s is None else Now() + timedelta(seconds=end.again_s)
        claim.write(
            state=end.state if final else _or_cancelling(end.state),
            note=end.note,
            failure=F("failure") if kept else end.failure,
            run_after=due if final or claim.is_cancelling else _or_now(due),
            ended_at=Now() if final else None,
            lease_ends_at=None,
            lost_workers=0,
        )
        job = Job.objects.select_related("scope", "plan").get(number=claim.number)
        if end.event:
            record(end.event, job, by=None, scope=job.scope, job_number=job.number, **end.detail)
        if final:
            close(job)


def _or_cancelling(state: str) -> Case:
    """Let a job that somebody wants to end go no other way, whatever this turn brought."""
    wanted = When(cancel_asked_at__isnull=False, then=Value(JobState.CANCELLING))
    unknown_stays = When(Value(state == JobState.OUTCOME_UNKNOWN), then=Value(state))
    return Case(unknown_stays, wanted, default=Value(state))


def _or_now(due: Any) -> Case:
    return Case(When(cancel_asked_at__isnull=False, then=Now()), default=due)


def back_to_draft(error: PortalError) -> End:
    """Checks or plan could not be made; the draft stays, with the reason."""
    end = failed(error, None)
    return End(JobState.DRAFT, event="job.checked", note=error.message, failure=end.failure)


def checks_again(wait: NotYet) -> End:
    """What is to be looked at is at work by itself; the checks run again later."""
    return End(JobState.CHECKING, again_s=wait.look_again_s, note=wait.text)


def go_on() -> End:
    """The step is done; the next one is due at once."""
    return End(JobState.RUNNING, again_s=0)


def succeeded() -> End:
    """Every step is verified."""
    return End(
        JobState.SUCCEEDED,
        event="job.succeeded",
        log=(LogLine.Level.HEAD, "Done: every step was read back from the other system."),
    )


def waiting(wait: NotYet, step: JobStep | None) -> End:
    """The outside is at work; nobody waits meanwhile."""
    fields = {"state": StepState.WAITING, "note": wait.text} | (_FRESH if wait.heard else {})
    return End(
        JobState.WAITING_EXTERNAL,
        again_s=wait.look_again_s,
        note=wait.text,
        step=step,
        step_fields=fields if step else {},
        log=(LogLine.Level.INFO, wait.text) if step and step.note != wait.text else None,
    )


def needs_person(stop: NeedsPerson, step: JobStep | None) -> End:
    """Paused on an instruction, locks kept; said once, however often it is looked at meanwhile."""
    fresh = step is None or step.note != stop.text
    return End(
        JobState.NEEDS_PERSON,
        again_s=stop.look_again_s,
        note=stop.text,
        event="job.needs_person" if fresh else "",
        step=step,
        step_fields={"state": StepState.WAITING, "note": stop.text} | _FRESH if step else {},
        log=(LogLine.Level.WARNING, stop.text) if fresh else None,
        detail={"position": step.position if step else None},
    )


def stale(message: str, step: JobStep | None = None) -> End:
    """The plan cannot be carried out any more; what is done stays. With a change begun, its outcome is unknown."""
    if step is not None and step.intent_at is not None:
        gone = PortalError(
            message,
            remedy="The portal cannot look at it any more. Look at the system itself, then record what you "
            "found; or put back what was changed here, and check what happened.",
            code="SSS-PLAN-STALE",
        )
        return unknown(gone, step, looks_again=False)
    return End(
        JobState.PLAN_STALE,
        event="job.plan_stale",
        failure=failure_of(
            message,
            code="SSS-PLAN-STALE",
            state_now="Nothing further was changed. Steps that were verified stay.",
            fix="Make a new plan: it starts from what is there now.",
        ),
    )


def drifted(drift: Drifted, step: JobStep | None) -> End:
    """Somebody else changed what the plan is about: stop before writing over it."""
    rows = [vars(item) for item in drift.foreign]
    names = ", ".join(item.field for item in drift.foreign)
    own = "" if drift.outcome is None else f" {drift.outcome.words()}"
    note = f"Changed by somebody else: {names}"
    return End(
        JobState.PLAN_STALE,
        event="job.plan_stale",
        failure=failure_of(
            f"Somebody else changed this since the plan was made: {names}.",
            code="SSS-PLAN-DRIFT",
            state_now=f"Nothing was written over it.{own or ' Steps that were verified stay.'}",
            fix="Make a new plan: it starts from what is there now.",
            drift=rows,
        ),
        step=step,
        step_fields=_failed_fields(note, drift.outcome) if step else {},
        log=(LogLine.Level.ERROR, f"Stops: changed by somebody else: {names}"),
        detail={"drift": rows, "position": step.position if step else None} | _told(drift.outcome),
    )


def after_gateway_error(error: GatewayError, step: JobStep | None) -> End:
    """A look did not succeed: look again while that can help; else fail or, with a change begun, say so."""
    if step is not None and (error.retries or isinstance(error, Conflict)) and _has_time(step):
        return _again(error, step)
    return unknown(error, step) if step is not None and step.intent_at else failed(error, step)


def after_refusal(error: PortalError, step: JobStep, *, was_in_doubt: bool) -> End:
    """A change did not succeed: try again while that can help; else look once more and end by what that shows.

    What an error says about its effect is never believed: several effects may have been on their way.
    """
    lost = not _is_answered(error)
    doubt = {"in_doubt": was_in_doubt or lost} | ({"doubted_at": Now()} if lost else {})
    if _passes(error) and _has_time(step):
        end = _again(error, step)
        return replace(end, step_fields={**end.step_fields, **doubt})
    text = f"{error.message} Looks once more, to tell what state things are in."
    return End(
        JobState.WAITING_EXTERNAL,
        again_s=0,
        note=text,
        step=step,
        step_fields={
            "state": StepState.WAITING,
            "note": text,
            "refusal": _facts(error),
            **doubt,
            **_FRESH,
        },
        log=(LogLine.Level.WARNING, text),
    )


def _passes(error: PortalError) -> bool:
    """Tell whether the same change may succeed a little later, after a look."""
    if isinstance(error, GatewayError):
        return error.retries or isinstance(error, Conflict | Garbled) or not _is_answered(error)
    return False


def _is_answered(error: PortalError) -> bool:
    """Tell whether nothing of the change can still be under way. It decides only how long to wait for a look."""
    if isinstance(error, Unreachable):
        return not error.sent
    if isinstance(error, Garbled):
        return False
    if isinstance(error, Throttled):
        # A gateway's 503 may follow the effect; 429 is said before anything is done.
        return error.detail.get("status") == "429" or error.detail.get("changed") == "No"
    if isinstance(error, Rejected) and error.changed != "No":
        return False
    return not isinstance(error, GatewayError) or error.detail.get("changed", "No") == "No"


def _has_time(step: JobStep) -> bool:
    """Tell whether passing errors in a row may go on: at least ``TRIES``, and for RETRY_FOR_S."""
    if step.attempts < TRIES or step.failing_since is None:
        return True
    return bool((database_clock() - step.failing_since).total_seconds() < settings.RETRY_FOR_S)


def _again(error: PortalError, step: JobStep) -> End:
    tries = step.attempts + 1
    wait: float | None = getattr(error, "retry_after_s", None)
    if wait is None:
        # Full jitter, so that many jobs do not knock together. Not a matter of security.
        wait = random.uniform(0.5, 1.0) * min(60.0, settings.RETRY_BASE_S * 2 ** min(tries, 9))  # noqa: S311
    wait = min(wait, LONGEST_WAIT_S)
    text = f"{error.message} Tries again in {wait:.0f} s (try {tries + 1})."
    return End(
        JobState.WAITING_EXTERNAL,
        again_s=wait,
        note=text,
        step=step,
        step_fields={
            "state": StepState.WAITING,
            "attempts": F("attempts") + Value(1),
            "failing_since": Coalesce(F("failing_since"), Now()),
            "note": text,
        },
        log=(LogLine.Level.WARNING, text),
    )


def failed(error: PortalError, step: JobStep | None, outcome: Outcome | None = None) -> End:
    """A cause that trying again does not cure.

    :param outcome: what a fresh look shows of a step that was begun.
    """
    return _failed(_facts(error), step, outcome)


def refused(step: JobStep, outcome: Outcome) -> End:
    """The change was refused, and a fresh look now tells what it did all the same."""
    return _failed(dict(step.refusal or {}), step, outcome)


def decided(job: Job, step: JobStep, outcome: Outcome) -> End:
    """The outcome was unknown; a fresh look now tells it."""
    return _failed(dict(job.failure or {}), step, outcome)


def _facts(error: PortalError) -> dict[str, Any]:
    return failure_of(
        error.message,
        code=error.code,
        fix=error.remedy,
        system=getattr(error, "system", ""),
        detail=getattr(error, "detail", {}),
    )


def _failed(facts: dict[str, Any], step: JobStep | None, outcome: Outcome | None) -> End:
    message, position = facts.get("message", ""), step.position if step else None
    failure = facts | {"state_now": _state_now(step, outcome)}
    return End(
        JobState.FAILED,
        event="job.failed",
        failure=failure | ({"position": position} if position else {}),
        step=step,
        step_fields=_failed_fields(message, outcome) if step else {},
        log=(LogLine.Level.ERROR, f"{message} ({facts.get('code', '')})"),
        detail={"code": facts.get("code"), "position": position} | _told(outcome),
    )


def _failed_fields(note: str, outcome: Outcome | None) -> dict[str, Any]:
    fields = {"state": StepState.FAILED, "ended_at": Now(), "note": note}
    if outcome is None:
        return fields
    return fields | {"changed": outcome.changed, "after": outcome.after}


def _told(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {}
    return {name: list(getattr(outcome, name)) for name in ("done", "partly", "untouched", "taken")}


def _state_now(step: JobStep | None, outcome: Outcome | None) -> str:
    if step is None:
        return "Nothing was changed."
    if outcome is not None:
        return outcome.words()
    if step.intent_at is None:
        return "This step changed nothing. Steps that were verified stay."
    names = ", ".join(step.asked)
    return f"This step was begun; what it wrote of {names} stays. Verified steps stay."


def unknown(error: PortalError, step: JobStep, *, looks_again: bool = True) -> End:
    """A change was begun, and no look can tell what became of it. The locks stay; looks go on by themselves.

    :param looks_again: False where only a person may have it looked at again.
    """
    fresh = step.note != error.message
    wait = min(LONGEST_WAIT_S, settings.PERSON_POLL_S * 2 ** min(step.attempts, 9))
    return End(
        JobState.OUTCOME_UNKNOWN,
        again_s=wait if looks_again else None,
        event="job.outcome_unknown" if fresh else "",
        failure=_facts(error)
        | {
            "state_now": "A change was begun, and it cannot be read back whether it took place. The locks are kept.",
            "fix": error.remedy
            or "Once the system answers, a look tells which of the two it is; it is looked at again by itself.",
            "position": step.position,
        },
        step=step,
        step_fields={"note": error.message, "attempts": Least(F("attempts") + 1, Value(100))},
        log=(LogLine.Level.ERROR, f"Outcome unknown: {error.message} ({error.code})")
        if fresh
        else None,
        detail={"code": error.code, "position": step.position},
    )


def while_looking(end: End, job: Job) -> End:
    """Keep a job that is only looked at in its state while its looks wait or fail, and say the same thing once."""
    if end.is_told:
        return end
    if end.state in (JobState.WAITING_EXTERNAL, JobState.NEEDS_PERSON):
        return replace(end, state=job.state, event="")
    is_old = end.failure is not None and (job.failure or {}).get("code") == end.failure.get("code")
    if end.state == JobState.OUTCOME_UNKNOWN and is_old:
        return replace(end, failure=None, event="", log=None)
    return end


def person_again(step: JobStep) -> End:
    """The outcome was unknown; a look now tells it, and what is left is a person's to do, as before."""
    assert step.refusal is not None  # noqa: S101 -- the change said so
    stop = NeedsPerson(step.refusal["message"], look_again_s=step.refusal["look_again_s"])
    return replace(needs_person(stop, step), event="job.needs_person", is_told=True)


def cancelled(job: Job, step: JobStep | None, outcome: Outcome | None = None) -> End:
    """Somebody wanted it to end, and nothing of it is under way any more; says what stays.

    :param step: the step that was begun, with what a fresh look shows of it.
    """
    done = job.steps.filter(state=StepState.DONE, changed=True).count()
    stays = (
        f"{counted(done, 'step')} that changed something, verified: what they wrote stays."
        if done
        else "Nothing was changed."
    )
    words = outcome.words() if outcome is not None and outcome.changed else stays
    return End(
        JobState.CANCELLED,
        event="job.cancelled",
        failure=failure_of(
            "The job was cancelled.",
            code="SSS-CANCELLED",
            state_now=words,
            fix="Go on from the failed step by trying it again, or take back what was done by a plan of its own.",
            position=step.position if step else None,
        ),
        step=step,
        step_fields=_failed_fields("Cancelled in this step.", outcome) if step else {},
        log=(LogLine.Level.HEAD, f"Cancelled. {words}"),
        detail=_told(outcome),
    )


def database_away(claim: Claim) -> End:
    """The portal's own database went away in between; the turn is taken again as soon as it is back."""
    text = "The portal's database was away for a moment; goes on from a fresh look."
    state = claim.state if claim.at_checks or claim.at_looks else JobState.RUNNING
    return End(state, again_s=1.0, note=text, log=(LogLine.Level.WARNING, text), has_lost=True)


def poison(step: JobStep) -> End:
    """Three workers were lost in one step: nobody tries a fourth time."""
    error = PortalError(
        f"Workers were lost {step.lost_workers} times in this step.",
        remedy="Have the worker's log looked at before anybody tries this again.",
        code="SSS-WORKER-LOST",
    )
    return (
        failed(error, step) if step.intent_at is None else unknown(error, step, looks_again=False)
    )


def errored(bug: Exception, step: JobStep | None) -> End:
    """A defect of the portal itself. The page gets a reference, the log the stack; no text of the exception."""
    error = defect(bug)
    return unknown(error, step) if step is not None and step.intent_at else failed(error, step)


def defect(bug: Exception) -> PortalError:
    """Word a defect of the portal itself for a page."""
    reference = uuid.uuid4().hex[:8]
    log.error("Reference %s", reference, exc_info=bug)
    return PortalError(
        f"The portal itself failed here ({type(bug).__name__}, reference {reference}).",
        remedy="Send the reference to whoever runs the portal; the worker's log has the details.",
        code="SSS-BUG",
    )
