from __future__ import annotations

from pathlib import Path

from portal.access.models import Person, Scope
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def test_work_goes_on_without_a_broker(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker_without_broker(REDIS_URL=f"redis+socket://{stack.folder}/nobody.sock")

    job = planned_job(world, scope, mira)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.SUCCEEDED, seconds=60)

    assert world.effects == ALL_EFFECTS
