from __future__ import annotations

from pathlib import Path

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.jobs.models import ResourceLock
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def test_a_job_goes_from_draft_to_verified(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()

    job = planned_job(world, scope, mira)
    assert world.effects == []
    assert job.plan is not None
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    assert world.read() == {"colour": "green", "thing": "there", "used": "thing-7"}
    assert not ResourceLock.objects.exists()
    told = list(
        Entry.objects.filter(job_number=job.number).order_by("pk").values_list("event", flat=True)
    )
    assert told == [
        "job.drafted",
        "job.checks_asked",
        "job.planned",
        "job.checked",
        "job.sent",
        "job.approved",
        "job.started",
        *["step.intended", "step.kept"] * 3,
        "job.succeeded",
    ]
