"""A job that stopped for a person can go on by one: none stays stopped for good with its locks held."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.access.models import Person, Role, Scope
from portal.errors import NotAllowed
from portal.jobs import actions
from portal.jobs.models import JobStep, ResourceLock
from portal.jobs.states import JobState
from tests.conftest import make_person
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def test_a_step_that_cost_three_workers_is_looked_at_again_when_somebody_says_so(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "die", times=3)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.OUTCOME_UNKNOWN, seconds=60)
    assert JobStep.objects.get(job=job, position=2).lost_workers == 3

    actions.continue_job(job, by=mira)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    assert not ResourceLock.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.ADMIN])
def test_only_requesters_and_approvers_let_a_job_go_on(
    scope: Scope, mira: Person, jonas: Person, role: str
) -> None:
    job = actions.draft_job("toy", scope, by=mira, inputs={})

    with pytest.raises(NotAllowed):
        actions.continue_job(job, by=make_person("somebody", role))
