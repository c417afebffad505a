"""Cancel between changes, and go on later at the step a job stopped at."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.errors import Outpaced
from portal.jobs import actions, steering
from portal.jobs.claim import database_clock
from portal.jobs.models import JobStep, ResourceLock
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack
from tests.waiting import wait_until


def test_a_job_ends_between_two_changes_and_says_what_stays(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("after make-thing", "sleep", seconds=1.5)
    send_and_approve(job, mira, jonas)
    wait_until(lambda: world.effects == ALL_EFFECTS[:2])

    steering.cancel_job(job, by=jonas)
    since = time.monotonic()
    job = wait_for(job, JobState.CANCELLED)

    assert time.monotonic() - since < 10
    assert world.effects == ALL_EFFECTS[:2]
    assert job.failure is not None
    assert "2 steps" in job.failure["state_now"]
    assert not ResourceLock.objects.exists()
    assert Entry.objects.filter(job_number=job.number, event="job.cancelled").count() == 1


def test_a_job_that_waits_ends_at_once(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("look", "not yet", times=999)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.WAITING_EXTERNAL)

    steering.cancel_job(job, by=mira)
    job = wait_for(job, JobState.CANCELLED, seconds=10)

    assert job.failure is not None
    assert job.failure["state_now"] == "Nothing was changed."
    with pytest.raises(Outpaced):
        steering.cancel_job(job, by=mira)


def test_a_begun_change_is_looked_at_before_its_job_is_cancelled(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "late", seconds=4)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.WAITING_EXTERNAL)

    steering.cancel_job(job, by=mira)
    wait_for(job, JobState.CANCELLING)
    job = wait_for(job, JobState.SUCCEEDED, JobState.CANCELLED)

    # The late effect took place all the same, and the look that waited for it says so.
    assert job.state == JobState.SUCCEEDED
    assert world.effects == ["paint-both left", "paint-both right"]


def test_cancelled_in_mid_step_names_what_is_done(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "person", times=99)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.NEEDS_PERSON)

    steering.cancel_job(job, by=mira)
    job = wait_for(job, JobState.CANCELLED)

    assert job.failure is not None
    assert "Done: left. Not done: right." in job.failure["state_now"]


def test_a_failed_job_goes_on_at_its_step_under_the_same_approval(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "refused", times=1)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    steering.retry_job(job, by=mira)
    job = wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    assert job.failure is None
    assert JobStep.objects.filter(job=job, changed=True).count() == 3
    assert JobStep.objects.get(job=job, position=1).was_verified


def test_what_somebody_took_back_meanwhile_is_not_done_again(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "refused", times=1)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)
    world.write(colour="red")

    steering.retry_job(job, by=mira)
    job = wait_for(job, JobState.PLAN_STALE)

    assert world.effects == ALL_EFFECTS[:1]
    assert job.failure is not None
    assert [row["field"] for row in job.failure["drift"]] == ["colour"]


def test_a_cancelled_job_goes_on_too_but_not_without_its_approval(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person, settings: object
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "person", times=1)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.NEEDS_PERSON)
    steering.cancel_job(job, by=mira)
    job = wait_for(job, JobState.CANCELLED)

    settings.APPROVAL_LIFE_S = 0  # type: ignore[attr-defined]
    with pytest.raises(Outpaced):
        steering.retry_job(job, by=mira)
    settings.APPROVAL_LIFE_S = 86400  # type: ignore[attr-defined]
    steering.retry_job(job, by=mira)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ["paint-both left", "paint-both right"]


def test_a_failed_trial_is_tried_anew_not_judged_by_the_old_one(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    world.write(outcome="fails")
    stack.worker()
    job = planned_job(world, scope, mira, "trial")
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    world.write(outcome="works")
    steering.retry_job(job, by=mira)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ["try left", "try right", "try tried", "try tried"]


def test_what_was_cancelled_before_its_start_never_started(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    begins = database_clock() + timedelta(hours=1)
    window = (begins, begins + timedelta(hours=1))
    actions.send_for_approval(job, by=mira, reason="because", window=window)
    assert job.plan is not None
    actions.approve_job(job, by=jonas, digest=job.plan.digest)

    steering.cancel_job(job, by=mira)
    job = wait_for(job, JobState.CANCELLED)

    assert job.started_at is None
    with pytest.raises(Outpaced):
        steering.retry_job(job, by=mira)
    assert world.effects == []
