"""Take a job, keep it, give it back. Only the holder of the newest fence writes."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils.timezone import now

from portal.audit.record import record
from portal.errors import Outpaced
from portal.jobs.approval import usable, used_by
from portal.jobs.closing import OPEN, close
from portal.jobs.models import (
    ApprovalUse,
    Installation,
    Job,
    JobStep,
    LogLine,
    ResourceLock,
    failure_of,
)
from portal.jobs.states import AT_CHECKS, AT_LOOKS, AT_WORK, CLAIMABLE, JobState, StepState
from portal.vault.actions import keep_for_plan

LOCKED_AGAIN_S = 5
# As Django writes Now() on each database.
_NOW = {
    "postgresql": "statement_timestamp()",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
}
# What a job is in while somebody holds it.
_HELD = (*AT_CHECKS, *AT_LOOKS, JobState.RUNNING)


@dataclass(frozen=True)
class Claim:
    """The right to write one job, until the lease ends or somebody newer takes it.

    :ivar state: the job's, as the claim found it: at checks, at looks without an approval, or at work.
    """

    number: int
    fence: int
    epoch: int
    portal_id: uuid.UUID
    state: str

    @property
    def at_checks(self) -> bool:
        return self.state in AT_CHECKS

    @property
    def at_looks(self) -> bool:
        return self.state in AT_LOOKS

    @property
    def is_cancelling(self) -> bool:
        return self.state == JobState.CANCELLING

    def write(self, **fields: Any) -> None:
        """Change columns of the job.

        :raises Outpaced: when this claim is no longer the newest or its lease has ended.
        """
        hit = Job.objects.filter(
            number=self.number, fence=self.fence, lease_ends_at__gt=Now()
        ).update(**fields)
        if hit != 1:
            raise Outpaced("Somebody else carries this job on.")

    def write_step(self, step: JobStep, **fields: Any) -> None:
        """Change columns of one of the job's steps, under the same proof."""
        held = Job.objects.filter(
            number=OuterRef("job_id"), fence=self.fence, lease_ends_at__gt=Now()
        )
        if JobStep.objects.filter(Exists(held), pk=step.pk, job=self.number).update(**fields) != 1:
            raise Outpaced("Somebody else carries this job on.")
        step.refresh_from_db()

    def log(
        self, text: str, *, step: JobStep | None = None, level: str = LogLine.Level.INFO
    ) -> None:
        """Add a line to the job's log."""
        table = connection.ops.quote_name(Job._meta.db_table)
        with transaction.atomic(savepoint=False):
            counted = Job.objects.raw(
                f"UPDATE {table} SET log_seq = log_seq + 1 WHERE number = %s AND fence = %s"  # noqa: S608 -- our own table's name
                f" AND lease_ends_at > {_NOW[connection.vendor]} RETURNING number, log_seq",
                [self.number, self.fence],
            )
            row = next(iter(counted), None)
            if row is None:
                raise Outpaced("Somebody else carries this job on.")
            LogLine.objects.create(
                job_id=self.number,
                seq=row.log_seq,
                position=step.position if step else None,
                level=level,
                text=text,
            )


def take(number: int) -> Claim | None:
    """Claim a job that is due, for one step.

    One conditional UPDATE decides. The first claim of an approved plan uses its approval up and takes
    all its resource locks, all or none; without them the job is queued and tried again later.

    A job whose outcome is unknown is claimed without an approval: it is only looked at.

    :return: None when it is not due, held by another, or not approved.
    """
    with transaction.atomic():
        place = _next_fence()
        if place is None:
            return None
        # The counter's row is held from here on: no other claim moves this job until the end, and
        # approvals only grow. So what is read now still holds at the UPDATE.
        job = _due(number).select_related("scope", "plan").defer("plan__canonical").first()
        if job is None:
            return None
        approvals = _approvals(job) if job.state in AT_WORK else []
        if approvals is None:
            _stop_what_may_not_run(job)
            return None
        hit = (
            _due(number)
            .filter(state=job.state, plan=job.plan_id)
            .update(
                fence=place.fence,
                lease_ends_at=Now() + timedelta(seconds=settings.LEASE_S),
                worker=f"{socket.gethostname()}:{os.getpid()}",
                state=JobState.RUNNING if job.state in AT_WORK else job.state,
                started_at=Coalesce(F("started_at"), Now())
                if job.state in AT_WORK
                else F("started_at"),
            )
        )
        if not hit:
            return None
        claim = Claim(number, place.fence, place.epoch, place.portal_id, job.state)
        if job.state in AT_WORK and not _begin(claim, job, approvals):
            return None
        # It was due with a lease that nobody gave back: its holder was lost.
        if job.lease_ends_at is not None and job.state in _HELD:
            claim.write(lost_workers=F("lost_workers") + 1)
            _count_lost_worker(claim, job)
        return claim


def _next_fence() -> Installation | None:
    """Take the next number of the one counter, in one statement.

    :return: None while the portal is drained for an upgrade.
    """
    table = connection.ops.quote_name(Installation._meta.db_table)
    rows = Installation.objects.raw(
        f"UPDATE {table} SET fence = fence + 1 WHERE NOT is_draining RETURNING *"  # noqa: S608 -- our own table's name
    )
    return next(iter(rows), None)


def _due(number: int) -> Any:
    free = Q(lease_ends_at=None) | Q(lease_ends_at__lt=Now())
    return Job.objects.filter(free, number=number, state__in=CLAIMABLE, run_after__lte=Now())


def _approvals(job: Job) -> list[int] | None:
    """Give the approvals to be used up now; none where the job used its own up at its start, or its plan asks for none.

    :return: None when the job is not approved, or not any more.
    """
    if job.plan is None:
        return None
    if job.plan.approvers == 0:
        return []
    if job.started_at is not None:
        return [] if used_by(job.number, job.plan_id).exists() else None
    rows = usable(job.plan_id).filter(plan__job=job.number).order_by("decided_at")
    found = list(rows.values_list("pk", flat=True))
    return found if len(found) >= job.plan.approvers else None


def _begin(claim: Claim, job: Job, approvals: Sequence[int]) -> bool:
    """Use the approval up at the first claim, and hold every resource the open steps name."""
    named = JobStep.objects.filter(job=job, state__in=OPEN).values_list(
        "planned__resources", flat=True
    )
    needed = sorted({resource for resources in named for resource in resources})
    holder = _lock(needed, job)
    if holder is not None:
        Job.objects.filter(number=job.number).update(
            state=JobState.QUEUED,
            lease_ends_at=None,
            run_after=Now() + timedelta(seconds=LOCKED_AGAIN_S),
            started_at=job.started_at,
            note=f"Waits for {holder}, which is at work on the same system.",
        )
        return False
    if job.started_at is None:
        _use_up(approvals, claim, job)
        claim.log(f"Started under its approval; {len(needed)} resources are held for it.")
    return True


def _use_up(approvals: Sequence[int], claim: Claim, job: Job) -> None:
    """Use up every approval of the plan at the start of its job: none of them starts another."""
    assert job.plan is not None  # noqa: S101 -- its approvals have just been read
    keep_for_plan(job.plan.secret_ids)
    ApprovalUse.objects.bulk_create(
        ApprovalUse(approval_id=approval, job=job, fence=claim.fence) for approval in approvals
    )
    used = list(approvals)
    record("job.started", job, by=None, scope=job.scope, job_number=job.number, approvals=used)


def _lock(resources: Sequence[str], job: Job) -> Job | None:
    """Take all of them or none.

    :return: None when all are held now; else a job that holds one.
    """
    held = {lock.resource: lock for lock in ResourceLock.objects.filter(resource__in=resources)}
    for lock in held.values():
        if lock.job_id != job.number:
            return lock.job
    # Claims are serialized by the counter's row, so nobody can take one between the look and this.
    ResourceLock.objects.bulk_create(
        ResourceLock(resource=resource, job=job) for resource in resources if resource not in held
    )
    return None


def _count_lost_worker(claim: Claim, job: Job) -> None:
    step = JobStep.objects.filter(job=job, state=StepState.RUNNING).order_by("position").first()
    if step is not None:
        claim.write_step(step, lost_workers=F("lost_workers") + 1, doubted_at=Now())
        record(
            "step.lost",
            step,
            by=None,
            scope=job.scope,
            job_number=job.number,
            position=step.position,
            times=step.lost_workers,
            changing=step.intent_at is not None,
        )


def _stop_what_may_not_run(job: Job) -> None:
    """End a due job whose approval does not hold: an approval that ran out asks anew, it never runs late.

    With a change begun it is looked at first, which needs no approval.
    """
    begun = JobStep.objects.filter(job=job, state__in=OPEN, intent_at__isnull=False).exists()
    failure = failure_of(
        "The approval no longer holds: its time ran out, or it was used.",
        code="SSS-APPROVAL-ENDED",
        state_now=(
            "A change was begun; it is looked at to tell what became of it. The locks are kept."
            if begun
            else "Nothing further was changed. Steps that were verified stay."
        ),
        fix="Make a new plan and have it approved.",
    )
    _due(job.number).update(
        state=JobState.OUTCOME_UNKNOWN if begun else JobState.PLAN_STALE,
        failure=failure,
        ended_at=None if begun else Now(),
        lease_ends_at=None,
        run_after=Now() if begun else None,
    )
    if not begun:
        close(job)
    event = "job.outcome_unknown" if begun else "job.plan_stale"
    record(event, job, by=None, scope=job.scope, job_number=job.number, code=failure["code"])


def release_finished_resources(job: Job) -> None:
    """Let go of every lock that no open step names any more."""
    open_steps = JobStep.objects.filter(job=job, state__in=OPEN).select_related("planned")
    needed = {resource for step in open_steps for resource in step.planned.resources}
    ResourceLock.objects.filter(job=job).exclude(resource__in=needed).delete()


def database_clock() -> Any:
    """Give the database's time, aware, as every lease and approval is measured by."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]
    return now()  # SQLite's clock is this machine's
