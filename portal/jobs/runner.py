"""Carry one step of an approved plan out. Any process may die at any line here.

1  The database is the truth: messages, logs and this process's memory decide nothing.
2  Only the holder of the newest fence writes: every UPDATE names it and must hit one row, else Outpaced.
3  No holder outlives its lease: the heartbeat arms the alarm that kills this process first.
4  What runs is the approved plan's rows, never today's list of steps.
5  Look before you change. Each field is as before (go on), as wanted (leave it) or foreign (drift: stop).
6  Intent is committed before the effect and never taken back; `before` is the plan's and never written again.
7  Begun: look, never change first. What an error says of its effect is not believed; a fresh look tells.
   What cannot be looked at is outcome unknown, keeps its locks and is only looked at from then on.
8  Done means read back by a fresh look. No status code and no absent exception makes a step done.
9  State and history commit together, and no transaction is open while the outside is called.
10 Job secrets open inside change() and end with it. Connection secrets open for looks too; no look returns one.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce, Now

from portal.audit.record import record
from portal.errors import GatewayError, NotFound, NotSettled, Outpaced, PortalError
from portal.jobs import ends, lease, plans, preparation
from portal.jobs.approval import approval_holds
from portal.jobs.claim import Claim, database_clock, release_finished_resources, take
from portal.jobs.closing import OPEN
from portal.jobs.compare import Comparison, Foreign, compare
from portal.jobs.digest import canonical
from portal.jobs.ends import Drifted, End
from portal.jobs.models import Job, JobStep, LogLine
from portal.jobs.outcome import Outcome, outcome_of
from portal.jobs.plans import PlanKind, UnknownKind
from portal.jobs.states import StepState
from portal.jobs.step import Failed, Look, NeedsPerson, NotYet, Order, Step
from portal.vault.actions import missing

log = logging.getLogger(__name__)

POISON = 3  # lost workers in one step, then nobody tries again
DATABASE_AGAIN_S = 1.0


def run(number: int) -> bool:
    """Claim the job and take it one step further, in the main thread of a worker process.

    :return: False when there was nothing to claim; True when a step was tried, whatever came of it.
    """
    lease.alarm_kills()
    lease.arm(time.monotonic())
    try:
        claim = take(number)
        if claim is None:
            return False
        with lease.held(claim):
            end = _carry(claim)
        _give_back(claim, end)
        return True
    finally:
        lease.disarm()


def _give_back(claim: Claim, end: End) -> None:
    """Write the end of the turn; while the database is away, as long as the lease's alarm lets this process live."""
    while True:
        try:
            ends.give_back(claim, end)
        except Outpaced:
            log.warning("J-%s went to another worker", claim.number)
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(DATABASE_AGAIN_S)
            continue
        return


def _carry(claim: Claim) -> End:
    try:
        job = Job.objects.select_related("plan", "scope").get(number=claim.number)
        end = _turn(claim, job)
        return ends.while_looking(end, job) if claim.at_looks else end
    except (OperationalError, InterfaceError):
        return ends.database_away(claim)


def _turn(claim: Claim, job: Job) -> End:
    step: JobStep | None = None
    try:
        kind = plans.kind_of(job.kind)
        if claim.at_checks:
            return preparation.prepare(claim, job, kind, poisoned=job.lost_workers >= POISON)
        step = (
            job.steps.filter(state__in=OPEN, planned__plan=job.plan_id)
            .select_related("planned")
            .order_by("position")
            .first()
        )
        if step is None:
            return ends.succeeded()
        if claim.is_cancelling and step.intent_at is None:
            return ends.cancelled(job, None)
        if claim.at_looks and step.intent_at is None:
            # The look that told was kept, and its worker lost right after: this one needs an approval again.
            return ends.go_on()
        code = kind.step(job, step.planned.key)
        if code is None or job.plan is None or job.plan.kind_version != kind.version:
            return ends.stale("This release of the portal no longer knows this plan.", step)
        if (why_not := _why_not_any_more(job, kind, step)) is not None:
            return ends.stale(why_not, step)
        if step.lost_workers >= POISON:
            return ends.poison(step)
        _start(claim, step)
        return _in_context(claim, job, step, kind, code)
    except NotYet as wait:
        return ends.waiting(wait, step)
    except NeedsPerson as stop:
        return ends.needs_person(stop, step)
    except Drifted as drift:
        return ends.drifted(drift, step)
    except (Outpaced, OperationalError, InterfaceError):
        raise
    except UnknownKind as gone:
        return ends.stale(gone.message, _begun(job))
    except NotSettled as error:
        return ends.failed(error, step)
    except GatewayError as error:
        return ends.after_gateway_error(error, step)
    except PortalError as error:
        return ends.unknown(error, step) if step and step.intent_at else ends.failed(error, step)
    except Exception as bug:
        return ends.errored(bug, step)


def _why_not_any_more(job: Job, kind: PlanKind, step: JobStep) -> str | None:
    """Say what differs today from the approved plan: an address, a certificate, a choice, a secret that is gone."""
    assert job.plan is not None  # noqa: S101 -- the caller has asked
    approved = json.loads(job.plan.canonical)
    today = json.loads(canonical(preparation.bound(kind, job)))
    for name in today:
        if approved.get(name) != today[name]:
            return f"This is no longer as it was approved: {name}."
    # Only before the first step: a later one of the plan's own destroys them.
    starts = step.position == 1 and step.started_at is None
    gone = missing(job.plan.secret_ids) if starts else []
    return f"What this plan needs is gone: {', '.join(gone)}." if gone else None


def _made(job: Job) -> dict[str, dict[str, str]]:
    return {step.planned.key: step.made for step in job.steps.select_related("planned")}


def _begun(job: Job) -> JobStep | None:
    return job.steps.filter(state__in=OPEN, intent_at__isnull=False).first()


def _start(claim: Claim, step: JobStep) -> None:
    first = step.started_at is None
    claim.write_step(step, state=StepState.RUNNING, started_at=Coalesce(F("started_at"), Now()))
    if first:
        claim.log(
            f"Step {step.position}: {step.planned.title}", step=step, level=LogLine.Level.HEAD
        )


def _in_context(claim: Claim, job: Job, step: JobStep, kind: PlanKind, code: Step[Any]) -> End:
    end: End | None = None
    try:
        with kind.open(job, _made(job)) as context:
            end = _settle(claim, job, step, code, context)
    except Exception:
        if end is None:
            raise
        # What the step came to is written; that something did not close changes nothing about it.
        log.exception("%s: its context did not close", job.name)
    return end


def _settle(claim: Claim, job: Job, step: JobStep, code: Step[Any], context: Any) -> End:
    failed: Failed | None = None
    try:
        look = code.look(context, step.mark)
    except Failed as verdict:
        look, failed = verdict.look, verdict
    wanted = resolve(step.planned.wanted, _made(step.job))
    found = compare(step.planned.before, wanted, look.fields)
    if found.settled and failed is None:
        return _keep(claim, job, step, look)
    if step.was_verified and failed is None:
        # It was as wanted once; that it no longer is was somebody else's doing.
        taken_back = [Foreign(n, step.after.get(n), g.wanted, g.now) for n, g in found.gaps.items()]
        raise Drifted(found.foreign + taken_back, None)
    if step.intent_at is None:
        if failed is not None:
            return ends.failed(failed, step)
        if found.foreign:
            raise Drifted(found.foreign, None)
    else:
        outcome = outcome_of(step.asked, step.planned.before, wanted, look.fields)
        end = _after_intent(claim, job, step, code, context, outcome, found, failed)
        if end is not None:
            return end
    if (person := code.ask(context)) is not None:
        raise person
    return _change(claim, job, step, code, context, look, found)


def resolve(wanted: Mapping[str, Any], made: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Put what earlier steps made in the place of "known after step n".

    :raises NotFound: when that step made no such thing.
    """

    def value(item: Any) -> Any:
        if not (isinstance(item, dict) and "known_after" in item):
            return item
        try:
            return made[item["known_after"]][item["name"]]
        except KeyError:
            raise NotFound(f"Step {item['known_after']} made no {item['name']}.") from None

    return {name: value(item) for name, item in wanted.items()}


def _after_intent(
    claim: Claim,
    job: Job,
    step: JobStep,
    code: Step[Any],
    context: Any,
    outcome: Outcome,
    found: Comparison,
    failed: NotSettled | None,
) -> End | None:
    """Decide what follows a begun step that a fresh look shows unsettled.

    First whatever may still come is waited for; only then does the look tell anything.

    :return: how the step ends; None when it may be changed again.
    :raises NotYet: while an effect may still come, or that look may be too early.
    :raises NeedsPerson: when the change said that only a person can go on.
    :raises Drifted: when somebody else's value stands in a field.
    """
    try:
        underway = code.at_work(context, _order(claim, job, step))
    except NotSettled as error:
        underway, failed = None, failed or error
    if underway is not None:
        raise underway
    for_person = step.refusal is not None and "look_again_s" in step.refusal
    is_ending = failed is not None or found.foreign or step.refusal is not None or claim.at_looks
    if is_ending or code.reads_may_be_stale:
        _wait_out_doubt(step)
    if found.foreign:
        raise Drifted(found.foreign, outcome)
    if failed is not None:
        return ends.failed(failed, step, outcome)
    if for_person and not claim.at_looks:
        assert step.refusal is not None  # noqa: S101 -- asked three lines above
        raise NeedsPerson(step.refusal["message"], look_again_s=step.refusal["look_again_s"])
    resumes = for_person and not claim.is_cancelling
    if resumes and Job.objects.filter(approval_holds(), pk=job.pk).exists():
        return ends.person_again(step)
    if step.sent_at is not None:
        return _not_shown(step, code, outcome)
    if claim.is_cancelling:
        return ends.cancelled(job, step, outcome)
    if claim.at_looks:
        return ends.decided(job, step, outcome)
    return ends.refused(step, outcome) if step.refusal is not None else None


def _wait_out_doubt(step: JobStep) -> None:
    """Wait as long as the effect of an attempt whose answer was lost may still come."""
    since = step.doubted_at or step.intent_at
    if not step.in_doubt or since is None:
        return
    age = (database_clock() - since).total_seconds()
    if age < preparation.stale_read_s():
        text = "An answer was lost here; waits until a look is certain to be fresh."
        raise NotYet(_pace(age), text, heard=False)


def _not_shown(step: JobStep, code: Step[Any], outcome: Outcome) -> End:
    """End a step whose change was made and does not show, once it has had its time."""
    assert step.sent_at is not None  # noqa: S101 -- the caller has asked
    age = (database_clock() - step.sent_at).total_seconds()
    if age < code.settle_s:
        text = "The change was made; waits until a fresh look shows it."
        raise NotYet(_pace(age), text, heard=False)
    slow = NotSettled(
        f"{step.planned.title}: it was changed, but {age:.0f} s later a fresh look does not show all of it.",
        remedy="Look at the system itself, then make a new plan.",
    )
    return ends.failed(slow, step, outcome)


def _pace(age: float) -> float:
    """Give the next wait: short at first, a minute at most."""
    return max(1.0, min(60.0, age))


def _change(
    claim: Claim,
    job: Job,
    step: JobStep,
    code: Step[Any],
    context: Any,
    look: Look,
    found: Comparison,
) -> End:
    was_in_doubt = step.in_doubt
    _intend(claim, job, step, code, look, found, context)
    connection.close_if_unusable_or_obsolete()
    try:
        code.change(context, look, found.gaps, _order(claim, job, step))
    except NeedsPerson as stop:
        _remember(claim, step, stop)
        raise
    except Outpaced:
        raise
    except PortalError as error:
        return ends.after_refusal(error, step, was_in_doubt=was_in_doubt)
    except Exception:
        claim.write_step(step, doubted_at=Now())
        raise
    claim.write_step(step, sent_at=Now(), in_doubt=was_in_doubt)
    return _settle(claim, job, step, code, context)  # sent: from here on it only looks


def _remember(claim: Claim, step: JobStep, stop: NeedsPerson) -> None:
    """Write down that only a person can go on, so that nothing is changed again until they say so."""
    claim.write_step(step, refusal={"message": stop.text, "look_again_s": stop.look_again_s})


def _order(claim: Claim, job: Job, step: JobStep) -> Order:
    assert job.plan is not None  # noqa: S101 -- a job at work has one
    return Order(
        portal_id=claim.portal_id,
        epoch=claim.epoch,
        fence=claim.fence,
        job=job.name,
        digest=job.plan.digest,
        step=step.planned.key,
        mark=step.mark,
        log=lambda text: claim.log(text, step=step),
    )


@transaction.atomic
def _intend(
    claim: Claim,
    job: Job,
    step: JobStep,
    code: Step[Any],
    look: Look,
    found: Comparison,
    context: Any,
) -> None:
    """Commit the intent; one statement proves that fence, lease and approval still hold."""
    mark = step.mark if step.mark is not None else code.mark(context, look)
    asked = sorted({*step.asked, *found.gaps})
    allowed = Job.objects.filter(
        approval_holds(),
        number=OuterRef("job_id"),
        fence=claim.fence,
        lease_ends_at__gt=Now(),
        cancel_asked_at=None,
    )
    hit = JobStep.objects.filter(Exists(allowed), pk=step.pk).update(
        intent_at=Now(), mark=mark, asked=asked, in_doubt=True
    )
    if hit != 1 and Job.objects.filter(number=claim.number, cancel_asked_at=None).exists():
        raise Outpaced("The claim or the approval no longer holds; nothing was changed.")
    if hit != 1:
        raise NotYet(0.0, "Somebody wants the job to end; nothing further is changed.", heard=False)
    step.refresh_from_db()
    record(
        "step.intended",
        step,
        by=None,
        scope=job.scope,
        job_number=job.number,
        position=step.position,
        key=step.planned.key,
        before=step.planned.before,
        wanted=step.planned.wanted,
    )


@transaction.atomic
def _keep(claim: Claim, job: Job, step: JobStep, look: Look) -> End:
    """The fresh look shows what was wanted: write it down, with its history, and let go of what is no longer needed."""
    changed = step.changed if step.was_verified else step.intent_at is not None
    text = (
        "Looked at again: still as it was verified."
        if step.was_verified
        else _kept_words(step, changed)
    )
    claim.write_step(
        step,
        state=StepState.DONE,
        after=dict(look.fields),
        shown=dict(look.shown),
        made=dict(look.made),
        changed=changed,
        ended_at=Now(),
        note=text,
    )
    record(
        "step.kept",
        step,
        by=None,
        scope=job.scope,
        job_number=job.number,
        position=step.position,
        key=step.planned.key,
        changed=changed,
        before=step.planned.before,
        after=step.after,
    )
    claim.log(text, step=step)
    release_finished_resources(job)
    return ends.go_on() if job.steps.filter(state__in=OPEN).exists() else ends.succeeded()


def _kept_words(step: JobStep, changed: bool) -> str:
    if changed and step.refusal is not None:
        return "It is as wanted, although the answer to the change was an error."
    if changed:
        return "Verified by a fresh look."
    if not step.planned.wanted:
        return "Not asked for."
    return "Done meanwhile, verified by a fresh look." if step.planned.changes else "There already."


__all__ = ["Foreign", "resolve", "run"]
