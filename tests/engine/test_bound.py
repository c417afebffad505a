from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from portal.access.models import Person, Scope
from portal.jobs.models import Job
from portal.jobs.states import JobState
from tests.engine.toy_world import ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def test_what_was_approved_is_held_against_what_runs(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = ToyWorld(elsewhere)
    stack.worker()
    job = planned_job(world, scope, mira)
    Job.objects.filter(pk=job.pk).update(inputs={"folder": str(elsewhere)})  # still a draft

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.PLAN_STALE)

    assert job.failure is not None
    assert "inputs" in job.failure["message"]
    assert world.effects == other.effects == []


def test_who_asked_and_what_was_sent_cannot_be_changed(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = planned_job(ToyWorld(tmp_path), scope, mira)
    row = Job.objects.filter(pk=job.pk)

    _refused(row, requester=jonas)
    _refused(row, kind="sides")
    row.update(state=JobState.AWAITING_APPROVAL)
    _refused(row, inputs={"folder": "/elsewhere"})
    _refused(row, plan=None)
    _refused(row, state=JobState.APPROVED, inputs={"folder": "/elsewhere"})
    row.update(state=JobState.CHANGES_REQUESTED, plan=None)


def _refused(row: QuerySet[Job], **fields: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row.update(**fields)
