"""What people do with a job under way or at its end: let it go on, cancel it, try it again, settle it."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from portal.access.models import Person, Role
from portal.access.roles import demand
from portal.errors import BadInput, NotAllowed, Outpaced
from portal.jobs import plans
from portal.jobs.approval import approval_holds
from portal.jobs.bell import ring_after_commit
from portal.jobs.closing import close
from portal.jobs.models import Job, JobStep
from portal.jobs.moving import keep_secrets, move, say
from portal.jobs.states import AT_WORK, JobState, StepState


@transaction.atomic
def continue_job(job: Job, *, by: Person) -> Job:
    """Have a job go on that rests on a person.

    One that needs a person looks for itself whether it was done, and may try again from there. One
    whose outcome is unknown is only looked at: nothing is changed again.

    :raises NotAllowed: without the requester or approver role here.
    """
    _takes_part(job, by)
    if job.state == JobState.OUTCOME_UNKNOWN:
        move(job, (JobState.OUTCOME_UNKNOWN,), JobState.OUTCOME_UNKNOWN, run_after=Now())
    else:
        move(job, (JobState.NEEDS_PERSON,), JobState.RUNNING, run_after=Now(), failure=None)
        JobStep.objects.filter(job=job, ended_at=None).update(refusal=None)
    # Or a step that cost three workers would stop again unseen, and keep its locks for ever.
    JobStep.objects.filter(job=job, ended_at=None).update(
        lost_workers=0, attempts=0, failing_since=None
    )
    say("job.continued", job, by=by)
    ring_after_commit(job.number)
    return job


@transaction.atomic
def cancel_job(job: Job, *, by: Person) -> Job:
    """Have a job end: at once where nothing is under way, else as soon as a look tells what the step at work did.

    :raises NotAllowed: without the requester or approver role here.
    :raises Outpaced: when it is not under way, or its outcome is unknown: then it is looked at or settled.
    """
    _takes_part(job, by)
    row = Job.objects.filter(pk=job.pk, state__in=AT_WORK, cancel_asked_at=None)
    if row.update(cancel_asked_at=Now(), run_after=Now()) != 1:
        raise Outpaced(
            f"{job.name} is not under way, so there is nothing to cancel.",
            remedy="Reload the page and read what it says now.",
        )
    # A job that somebody holds takes this way when it is given back.
    Job.objects.filter(pk=job.pk, lease_ends_at=None).update(state=JobState.CANCELLING)
    job.refresh_from_db()
    say("job.cancel_asked", job, by=by)
    ring_after_commit(job.number)
    return job


@transaction.atomic
def retry_job(job: Job, *, by: Person) -> Job:
    """Have a job that failed or was cancelled go on at the step it stopped at, under the approval it started with.

    Earlier steps are looked at again first; what somebody has changed in them since stops the job.

    :raises NotAllowed: without the requester role here. :raises Outpaced: when the approval no longer
        holds, its secrets are gone, or the job stands otherwise: then a new plan is needed.
    """
    demand(by, Role.REQUESTER, job.scope)
    kind = plans.kind_of(job.kind)
    fresh = Job.objects.select_related("plan").select_for_update(of=("self",)).get(pk=job.pk)
    if not Job.objects.filter(approval_holds(), pk=job.pk, started_at__isnull=False).exists():
        raise Outpaced(
            "The approval of this job no longer holds.",
            remedy="Draft it again: the new plan starts from what is there now.",
            code="SSS-APPROVAL-ENDED",
        )
    assert fresh.plan is not None  # noqa: S101 -- an approval that holds is of a plan
    keep_secrets(fresh.plan)
    move(
        job,
        (JobState.FAILED, JobState.CANCELLED),
        JobState.QUEUED,
        run_after=Now(),
        failure=None,
        ended_at=None,
        cancel_asked_at=None,
        note="",
    )
    _set_back(job, kind)
    say("job.retried", job, by=by)
    ring_after_commit(job.number)
    return job


def _set_back(job: Job, kind: plans.PlanKind) -> None:
    """Open the steps again: those that were verified to be looked at, the rest to be carried out."""
    steps = list(job.steps.select_related("planned").order_by("position"))
    done = {step.planned.key for step in steps if step.state == StepState.DONE}
    tries = {"attempts": 0, "failing_since": None, "lost_workers": 0, "ended_at": None, "note": ""}
    for step in steps:
        code = kind.step(job, step.planned.key)
        row = JobStep.objects.filter(pk=step.pk)
        if step.state != StepState.DONE:
            mark = None if code is not None and code.renews_mark else step.mark
            row.update(state=StepState.TO_DO, sent_at=None, refusal=None, mark=mark, **tries)
        elif code is not None and code.seen_until not in done:
            row.update(state=StepState.TO_DO, was_verified=True, **tries)


@transaction.atomic
def settle_by_person(job: Job, *, by: Person, found: str) -> Job:
    """End a job whose outcome no look can tell, by what a person found at the system itself.

    Its locks are let go, so whoever says this answers for it.

    :param found: what is there now, in at least ten characters.
    :raises NotAllowed: without the requester or approver role here. :raises BadInput: without words.
    """
    _takes_part(job, by)
    text = " ".join(found.split())
    if not 10 <= len(text) <= 2000:
        raise BadInput(
            "Say what you found, in 10 to 2,000 characters.",
            remedy="Look at the system itself: what of this step is there, and what is not?",
            field="found",
        )
    failure = (job.failure or {}) | {
        "state_now": f"A person looked: {text}",
        "fix": "Make a new plan: it starts from what is there now.",
    }
    # Without its lease a worker that looks at this moment writes nothing any more.
    move(
        job,
        (JobState.OUTCOME_UNKNOWN,),
        JobState.FAILED,
        failure=failure,
        ended_at=Now(),
        run_after=None,
        lease_ends_at=None,
        note=text,
    )
    close(job)
    # Who said so stands in history for good; the words may name people, so they stay with the job.
    say("job.settled", job, by=by)
    return job


def _takes_part(job: Job, by: Person) -> None:
    try:
        demand(by, Role.REQUESTER, job.scope)
    except NotAllowed:
        demand(by, Role.APPROVER, job.scope)
