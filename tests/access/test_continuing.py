"""A job that stopped for a person can go on by one: none stays stopped for good with its locks held."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.access.models import Person, Role, Scope
from portal.audit.models import Entry
from portal.errors import BadInput, NotAllowed
from portal.jobs import actions, steering
from portal.jobs.models import JobStep, ResourceLock
from portal.jobs.states import JobState, StepState
from tests.conftest import make_person
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def test_a_step_that_cost_three_workers_is_looked_at_when_somebody_says_so(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "die", times=3)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.OUTCOME_UNKNOWN, seconds=60)
    assert JobStep.objects.get(job=job, position=2).lost_workers == 3

    steering.continue_job(job, by=mira)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["code"] == "SSS-WORKER-LOST"
    assert "changed nothing" in job.failure["state_now"]
    assert world.effects == ALL_EFFECTS[:1]
    assert not ResourceLock.objects.exists()


def test_a_person_ends_what_no_look_can_tell(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "die", times=3)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.OUTCOME_UNKNOWN, seconds=60)

    with pytest.raises(BadInput):
        steering.settle_by_person(job, by=mira, found="dunno")
    steering.settle_by_person(job, by=mira, found="The thing is not there, I looked.")

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "I looked" in str(job.failure)
    assert not ResourceLock.objects.exists()
    assert set(JobStep.objects.filter(job=job).values_list("state", flat=True)) == {
        StepState.DONE,
        StepState.FAILED,
        StepState.NOT_STARTED,
    }
    assert Entry.objects.filter(job_number=job.number, event="job.settled", actor=mira).exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.ADMIN])
def test_only_requesters_and_approvers_let_a_job_go_on(
    scope: Scope, mira: Person, jonas: Person, role: str
) -> None:
    job = actions.draft_job("toy", scope, by=mira, inputs={})

    with pytest.raises(NotAllowed):
        steering.continue_job(job, by=make_person("somebody", role))
