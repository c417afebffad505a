"""While an effect may still come, nothing is told and no lock is let go of."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.errors import GatewayError, Refused, Rejected, Throttled, Unreachable
from portal.jobs import ends
from portal.jobs.models import Job, JobStep, ResourceLock
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack
from tests.waiting import wait_until

DEAF = {"look": {"fault": "lost answer", "times": 9999}}


def test_of_a_list_its_own_entries_are_told_beside_somebody_elses(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "names")
    world.dial("after add-name", "die", world={"names": ["ours", "theirs"]})

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.PLAN_STALE)

    assert job.failure is not None
    assert "Done: names." in job.failure["state_now"]
    assert JobStep.objects.get(job=job).changed
    assert world.read()["names"] == ["ours", "theirs"]


def test_somebody_elses_change_is_told_only_when_a_lost_answer_was_waited_for(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "blind")
    world.dial("before right", "late", seconds=0.8, world={"left": "yellow"})

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.PLAN_STALE)

    # The late write landed before the job ended and let go of its locks.
    assert world.effects == ["paint-blindly left", "paint-blindly right"]
    assert job.failure is not None
    assert "Done: right." in job.failure["state_now"]
    assert "cannot be told: left" in job.failure["state_now"]
    assert not ResourceLock.objects.exists()


def test_the_wait_begins_when_the_answer_is_lost(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "blind")
    tardy = {"before right": {"fault": "late", "seconds": 0.8, "times": 1, "then": REFUSING}}
    world.dial("before left", "sleep", seconds=1.5, then=tardy)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.SUCCEEDED, JobState.FAILED)

    # Whatever it ended as: the late write is part of what it tells.
    assert world.read()["right"] == "blue"
    assert JobStep.objects.get(job=job).after == {"left": "blue", "right": "blue"}


REFUSING = {"before paint-blindly": {"fault": "refused", "times": 9999}}


def test_a_failed_trial_tells_what_was_written_all_the_same(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    world.write(outcome="fails")
    stack.worker()
    job = planned_job(world, scope, mira, "trial")

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["message"] == "The toy does not work."
    assert "Done: left, right. Not done: tried." in job.failure["state_now"]
    step = JobStep.objects.get(job=job)
    assert step.changed
    assert step.after == {"left": "blue", "right": "blue", "tried": None}


def test_a_worker_lost_after_the_look_that_told_changes_nothing_without_its_approval(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("after make-thing", "lost answer", then=DEAF)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.OUTCOME_UNKNOWN)

    world.dial("close", "die")
    job = wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    intents = Entry.objects.filter(job_number=job.number, event="step.intended")
    assert intents.count() == 3
    assert Entry.objects.filter(job_number=job.number, event="step.lost").count() <= 1


def test_what_a_person_must_do_is_theirs_again_once_a_look_tells(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "person", times=1, then=DEAF)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.OUTCOME_UNKNOWN)

    world.heal()
    job = wait_for(job, JobState.NEEDS_PERSON)

    assert job.note == "Turn the toy's key."
    assert ResourceLock.objects.filter(job=job).exists()


def test_an_unknown_outcome_is_said_once_however_often_it_is_looked_at(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    bugs = {"look": {"fault": "bug", "times": 9999}}
    world.dial("after make-thing", "lost answer", then=bugs)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.OUTCOME_UNKNOWN)
    first = job.failure

    wait_until(lambda: Job.objects.get(pk=job.pk).fence >= job.fence + 3)

    job.refresh_from_db()
    assert job.failure == first
    assert Entry.objects.filter(event="job.outcome_unknown").count() == 1


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (Throttled("x", detail={"status": "429"}), True),
        (Throttled("x", detail={"status": "503"}), False),
        (Throttled("x", detail={"changed": "No"}), True),
        (Unreachable("x", sent=False), True),
        (Unreachable("x"), False),
        (Rejected("x", changed="Unknown"), False),
        (Rejected("x"), True),
        (Refused("x", detail={"changed": "Unknown"}), False),
        (Refused("x"), True),
    ],
    ids=lambda value: value.__class__.__name__ if isinstance(value, GatewayError) else str(value),
)
def test_only_a_plain_answer_ends_the_doubt(error: GatewayError, answered: bool) -> None:
    assert ends._is_answered(error) is answered
