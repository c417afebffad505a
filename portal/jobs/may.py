"""What a person may have a job do now: end, go on where it stopped, or be taken back. Only reads."""

from __future__ import annotations

from collections.abc import Sequence

from portal.access.models import Person, Role
from portal.access.roles import has_role
from portal.jobs import plans
from portal.jobs.models import Job, JobStep
from portal.jobs.states import AT_WORK, JobState, StepState
from portal.jobs.undo import may_be_undone


def may_cancel(job: Job, person: Person) -> bool:
    """Tell whether this person can have the job end that is under way."""
    return (
        job.state in AT_WORK
        and job.cancel_asked_at is None
        and any(has_role(person, role, job.scope) for role in (Role.REQUESTER, Role.APPROVER))
    )


def may_retry(job: Job, person: Person) -> bool:
    """Tell whether this person can ask for the job to go on at the step it stopped at."""
    kind = plans.kind_or_none(job.kind)
    return (
        job.state in (JobState.FAILED, JobState.CANCELLED)
        and job.started_at is not None
        and job.plan_id is not None
        and kind is not None
        and kind.writes
        and has_role(person, Role.REQUESTER, job.scope)
    )


def may_undo(job: Job, person: Person) -> bool:
    """Tell whether this person can draft the undo of what the job did."""
    return (
        plans.kind_or_none(job.kind) is not None
        and has_role(person, Role.REQUESTER, job.scope)
        and may_be_undone(job)
    )


def first_open(steps: Sequence[JobStep]) -> JobStep | None:
    """Give the step at which a job that stopped would go on."""
    return next((step for step in steps if step.state != StepState.DONE), None)
