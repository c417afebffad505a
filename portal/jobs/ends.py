"""How one turn of a worker ends: what becomes of the job, of its locks and of its secrets."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Now

from portal.audit.record import record
from portal.errors import (
    Conflict,
    GatewayError,
    Missing,
    PortalError,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from portal.jobs.claim import Claim
from portal.jobs.compare import Foreign
from portal.jobs.models import Job, JobStep, LogLine, ResourceLock, failure_of
from portal.jobs.states import FINAL, JobState, StepState
from portal.jobs.step import NeedsPerson, NotYet
from portal.vault.actions import destroy_after_job

TRIES = 5  # of one step, for errors that may pass


class Drifted(Exception):
    """Fields that somebody else changed since the plan was made."""

    def __init__(self, foreign: list[Foreign]) -> None:
        super().__init__(", ".join(item.field for item in foreign))
        self.foreign = foreign


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


def give_back(claim: Claim, end: End) -> None:
    """Write the end of the turn, its history line and log line in one transaction, and drop the lease.

    :raises Outpaced: when the claim no longer holds; then nothing is written.
    """
    with transaction.atomic():
        if end.log:
            claim.log(end.log[1], step=end.step, level=end.log[0])
        if end.step is not None and end.step_fields:
            claim.write_step(end.step, **end.step_fields)
        final = end.state in FINAL
        claim.write(
            state=end.state,
            note=end.note,
            failure=end.failure,
            run_after=None if end.again_s is None else Now() + timedelta(seconds=end.again_s),
            ended_at=Now() if final else None,
            lease_ends_at=None,
            lost_workers=0,
        )
        job = Job.objects.select_related("scope", "plan").get(number=claim.number)
        if end.event:
            record(end.event, job, by=None, scope=job.scope, job_number=job.number, **end.detail)
        if final:
            ResourceLock.objects.filter(job=job).delete()
            destroy_after_job(job.plan.secret_ids if job.plan else [])
            _close_open_steps(job)


def _close_open_steps(job: Job) -> None:
    still_open = job.steps.filter(state__in=(StepState.TO_DO, StepState.WAITING))
    still_open.update(state=StepState.NOT_STARTED)


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
    fields = {"state": StepState.WAITING, "note": wait.text}
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
        step_fields={"state": StepState.WAITING, "note": stop.text} if step else {},
        log=(LogLine.Level.WARNING, stop.text) if fresh else None,
        detail={"position": step.position if step else None},
    )


def stale(message: str, step: JobStep | None = None) -> End:
    """The plan cannot be carried out any more; what is done stays. With a change begun, its outcome is unknown."""
    if step is not None and step.intent_at is not None:
        return _unknown(PortalError(message, code="SSS-PLAN-STALE"), step)
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
    return End(
        JobState.PLAN_STALE,
        event="job.plan_stale",
        failure=failure_of(
            f"Somebody else changed this since the plan was made: {names}.",
            code="SSS-PLAN-DRIFT",
            state_now="Nothing was written over it. Steps that were verified stay.",
            fix="Make a new plan: it starts from what is there now.",
            drift=rows,
        ),
        step=step,
        step_fields={
            "state": StepState.FAILED,
            "ended_at": Now(),
            "note": f"Changed by somebody else: {names}",
        }
        if step
        else {},
        log=(LogLine.Level.ERROR, f"Stops: changed by somebody else: {names}"),
        detail={"drift": rows, "position": step.position if step else None},
    )


def certainly_without_effect(error: GatewayError) -> bool:
    """Tell whether a refused change is known to have changed nothing."""
    if isinstance(error, Unreachable):
        return not error.sent
    if isinstance(error, Rejected):
        return error.changed == "No"
    return isinstance(error, Throttled | Refused | Missing | Conflict)


def after_gateway_error(error: GatewayError, step: JobStep | None) -> End:
    """Try again where that can help; else fail, or, with a change begun and no look possible, say so."""
    changing = step is not None and step.intent_at is not None
    tries = (step.attempts if step else 0) + 1
    passing = error.retries or isinstance(error, Conflict) or (changing and not _is_refusal(error))
    if step is not None and passing and tries < TRIES:
        return _again(error, step, tries)
    return _unknown(error, step) if changing else failed(error, step)


def _is_refusal(error: GatewayError) -> bool:
    return certainly_without_effect(error) and not error.retries


def _again(error: GatewayError, step: JobStep, tries: int) -> End:
    wait = error.retry_after_s
    if wait is None:
        # Full jitter, so that many jobs do not knock together. Not a matter of security.
        wait = random.uniform(0.5, 1.0) * min(60.0, settings.RETRY_BASE_S * 2**tries)  # noqa: S311
    text = f"{error.message} Tries again in {wait:.0f} s ({tries} of {TRIES - 1})."
    return End(
        JobState.WAITING_EXTERNAL,
        again_s=wait,
        note=text,
        step=step,
        step_fields={
            "state": StepState.WAITING,
            "attempts": F("attempts") + Value(1),
            "note": text,
        },
        log=(LogLine.Level.WARNING, text),
    )


def failed(error: PortalError, step: JobStep | None) -> End:
    """A cause that trying again does not cure."""
    detail = getattr(error, "detail", {})
    return End(
        JobState.FAILED,
        event="job.failed",
        failure=failure_of(
            error.message,
            code=error.code,
            state_now=_state_now(step),
            fix=error.remedy,
            system=getattr(error, "system", ""),
            detail=detail,
            position=step.position if step else None,
        ),
        step=step,
        step_fields={"state": StepState.FAILED, "ended_at": Now(), "note": error.message}
        if step
        else {},
        log=(LogLine.Level.ERROR, f"{error.message} ({error.code})"),
        detail={"code": error.code, "position": step.position if step else None},
    )


def _state_now(step: JobStep | None) -> str:
    if step is None:
        return "Nothing was changed."
    if step.sent_at is not None:
        return "This step sent its change, but it does not show. Verified steps stay."
    return "This step changed nothing. Steps that were verified stay."


def _unknown(error: PortalError, step: JobStep | None) -> End:
    return End(
        JobState.OUTCOME_UNKNOWN,
        event="job.outcome_unknown",
        failure=failure_of(
            error.message,
            code=error.code,
            state_now="A change was sent, and it cannot be read back whether it took place. The locks are kept.",
            fix="Check what happened: once the system answers, a look tells which of the two it is.",
            system=getattr(error, "system", ""),
            detail=getattr(error, "detail", {}),
            position=step.position if step else None,
        ),
        step=step,
        step_fields={"note": error.message} if step else {},
        log=(LogLine.Level.ERROR, f"Outcome unknown: {error.message} ({error.code})"),
        detail={"code": error.code, "position": step.position if step else None},
    )


def poison(step: JobStep) -> End:
    """Three workers were lost in one step: nobody tries a fourth time."""
    return _unknown(
        PortalError(
            f"Workers were lost {step.lost_workers} times in this step.", code="SSS-WORKER-LOST"
        ),
        step,
    )


def errored(bug: Exception, step: JobStep | None) -> End:
    """A defect of the portal itself. The page gets a reference, the log the stack; no text of the exception."""
    reference = uuid.uuid4().hex[:8]
    error = PortalError(
        f"The portal itself failed here ({type(bug).__name__}, reference {reference}).",
        remedy="Send the reference to whoever runs the portal; the worker's log has the details.",
        code="SSS-BUG",
    )
    return _unknown(error, step) if step is not None and step.intent_at else failed(error, step)
