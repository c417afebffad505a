from __future__ import annotations

import os
from pathlib import Path

from portal.access.models import Person, Scope
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def _broker_that_is_away(stack: Stack) -> dict[str, str]:
    """Point at a broker nobody serves: a socket that is not there, or a folder that cannot be written."""
    if os.environ.get("REDIS_URL"):
        return {"REDIS_URL": f"redis+socket://{stack.folder}/nobody.sock"}
    return {"REDIS_URL": "redis://127.0.0.1:9/0"}


def test_work_goes_on_without_a_broker(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    away = _broker_that_is_away(stack)
    stack.worker_without_broker(**away)

    job = planned_job(world, scope, mira)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.SUCCEEDED, seconds=60)

    assert world.effects == ALL_EFFECTS
