"""The end of a job, whoever brings it about: no lock, no open step and no secret outlives it."""

from __future__ import annotations

from django.db.models.functions import Now

from portal.jobs.models import Job, JobStep, ResourceLock
from portal.jobs.states import StepState
from portal.vault.actions import destroy_after_job

OPEN = (StepState.TO_DO, StepState.RUNNING, StepState.WAITING)


def close(job: Job, *, secret_ids: list[str] | None = None) -> None:
    """Let go of everything a job that has ended still holds, inside the transaction that ends it.

    :param secret_ids: its secrets, where no plan names them yet.
    """
    ResourceLock.objects.filter(job=job).delete()
    still_open = JobStep.objects.filter(job=job, state__in=OPEN)
    still_open.filter(intent_at=None).update(state=StepState.NOT_STARTED)
    # Begun, and nobody looked to the end: it may have changed something.
    still_open.exclude(intent_at=None).update(state=StepState.FAILED, ended_at=Now(), changed=True)
    named = set(job.plan.secret_ids) if job.plan else set()
    destroy_after_job(sorted(named | set(secret_ids or ())))
