"""What became of a change is told by a fresh look, never by an error's kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.jobs import steering
from portal.jobs.approval import approval_holds
from portal.jobs.models import Job, JobStep, ResourceLock
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack
from tests.waiting import wait_until


def test_a_refusal_half_way_names_what_is_done_and_what_is_not(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "refused", times=99)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert world.effects == ["paint-both left"]
    assert job.failure is not None
    assert "Done: left. Not done: right." in job.failure["state_now"]
    assert job.failure["fix"] == "Ask the toy's owner."
    step = JobStep.objects.get(job=job)
    assert step.changed
    assert step.after == {"left": "blue", "right": None}
    told = Entry.objects.get(job_number=job.number, event="job.failed")
    assert (told.detail["done"], told.detail["untouched"]) == (["left"], ["right"])


def test_a_refusal_before_anything_says_that_nothing_changed(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before left", "refused", times=99)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert "changed nothing" in job.failure["state_now"]
    assert not JobStep.objects.get(job=job).changed
    assert not ResourceLock.objects.exists()


def test_an_effect_that_comes_late_finds_the_job_waiting_for_it(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "late", seconds=6)  # longer than passing errors are borne with

    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.WAITING_EXTERNAL)
    assert ResourceLock.objects.filter(job=job).exists()
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ["paint-both left", "paint-both right"]


def test_what_a_person_must_do_is_not_tried_again_meanwhile(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "person", times=1)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.NEEDS_PERSON)
    looked = job.fence
    wait_until(lambda: Job.objects.get(pk=job.pk).fence > looked + 1)
    assert world.effects == ["paint-both left"]

    world.write(right="blue")  # the person does it by hand
    job = wait_for(job, JobState.SUCCEEDED)
    assert world.effects == ["paint-both left"]


def test_done_go_on_tries_again_what_a_person_made_possible(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "person", times=1)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.NEEDS_PERSON)

    steering.continue_job(job, by=jonas)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ["paint-both left", "paint-both right"]


def test_an_unknown_outcome_is_looked_at_without_an_approval_and_ends(
    stack: Stack,
    tmp_path: Path,
    scope: Scope,
    mira: Person,
    jonas: Person,
    settings: LazySettings,
) -> None:
    world = ToyWorld(tmp_path)
    settings.APPROVAL_LIFE_S = 5
    stack.worker(APPROVAL_LIFE_S="5")
    job = planned_job(world, scope, mira)
    deaf = {"look": {"fault": "lost answer", "times": 9999}}
    world.dial("after make-thing", "lost answer", then=deaf)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.OUTCOME_UNKNOWN)
    held = Job.objects.filter(approval_holds(), pk=job.pk)
    wait_until(lambda: not held.exists())
    assert ResourceLock.objects.filter(job=job).exists()

    world.heal()
    job = wait_for(job, JobState.PLAN_STALE)

    assert job.failure is not None
    assert job.failure["code"] == "SSS-APPROVAL-ENDED"
    assert world.effects == ALL_EFFECTS[:2]
    assert JobStep.objects.get(job=job, position=2).changed
    assert not ResourceLock.objects.exists()
    told = Entry.objects.filter(job_number=job.number, event="job.outcome_unknown")
    assert told.count() == 1


def test_a_defect_in_a_change_is_looked_at_and_told(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "bug", times=99)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["code"] == "SSS-BUG"
    assert "Done: left. Not done: right." in job.failure["state_now"]


@pytest.mark.parametrize("point", ["look", "before left"])
def test_errors_that_do_not_pass_end_the_job_after_a_time(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person, point: str
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial(point, "lost answer", times=9999)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["code"] == "SSS-UNREACHABLE"
    assert "changed nothing" in job.failure["state_now"]
    assert world.effects == []


def test_somebody_elses_change_in_the_middle_of_a_step_is_told_beside_its_own(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "person", times=1)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.NEEDS_PERSON)

    world.write(right="yellow")
    job = wait_for(job, JobState.PLAN_STALE)

    assert job.failure is not None
    assert [row["field"] for row in job.failure["drift"]] == ["right"]
    assert "Done: left." in job.failure["state_now"]
    assert world.read()["right"] == "yellow"
