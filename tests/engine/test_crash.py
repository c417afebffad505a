from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from django.db import connection

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.jobs.models import Job, JobStep, ResourceLock
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack, children_of
from tests.waiting import wait_until

STEPS = ["set-colour", "make-thing", "use-thing"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("point", ["before", "after"])
def test_a_worker_killed_around_an_effect_repeats_none(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person, point: str, step: str
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial(f"{point} {step}", "die")

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    kept = Entry.objects.filter(job_number=job.number, event="step.kept")
    assert all(entry.detail["changed"] for entry in kept)
    assert Entry.objects.filter(job_number=job.number, event="step.lost").count() == 1


def test_the_whole_worker_killed_another_goes_on(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    first = stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("after make-thing", "sleep", seconds=60)
    send_and_approve(job, mira, jonas)
    wait_until(lambda: world.effects == ALL_EFFECTS[:2])

    first.kill_tree()
    stack.worker()

    wait_for(job, JobState.SUCCEEDED)
    assert world.effects == ALL_EFFECTS


def test_the_watch_dies_with_a_killed_worker(stack: Stack) -> None:
    worker = stack.worker()
    children = wait_until(lambda: found if len(found := children_of(worker.popen.pid)) >= 2 else [])

    os.kill(worker.popen.pid, signal.SIGKILL)
    worker.popen.wait(10)

    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), seconds=10)


def test_a_stopped_holder_is_dead_before_another_may_start(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before set-colour", "stop")

    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS


def test_a_step_that_kills_its_workers_stops_after_three(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "die", times=99)

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.OUTCOME_UNKNOWN, seconds=60)

    step = JobStep.objects.get(job=job, position=2)
    assert step.lost_workers == 3
    assert world.effects == ALL_EFFECTS[:1]
    assert ResourceLock.objects.filter(job=job).exists()


def test_a_lost_answer_is_looked_up_not_sent_again(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("after make-thing", "lost answer")

    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS


def test_a_defect_before_any_change_fails_and_says_so(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("look", "bug")

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["code"] == "SSS-BUG"
    assert "a defect" not in str(job.failure)
    assert world.effects == []


def test_somebody_elses_change_stops_the_job_and_stays(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.write(used="by somebody else")

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.PLAN_STALE)

    assert world.read()["used"] == "by somebody else"
    assert world.effects == ALL_EFFECTS[:2]
    assert job.failure is not None
    assert [row["field"] for row in job.failure["drift"]] == ["used"]
    assert not ResourceLock.objects.exists()


def test_a_refusal_fails_the_job_with_its_remedy(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before make-thing", "refused")

    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["fix"] == "Ask the toy's owner."
    assert world.effects == ALL_EFFECTS[:1]


def test_waiting_for_the_outside_holds_no_worker(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("look", "not yet", times=3)

    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.WAITING_EXTERNAL)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS


def test_two_jobs_on_one_resource_take_turns(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker(concurrency=2)
    first, second = planned_job(world, scope, mira), planned_job(world, scope, mira)
    world.dial("after set-colour", "sleep", seconds=1)

    send_and_approve(first, mira, jonas)
    wait_until(lambda: ResourceLock.objects.filter(job=first).exists())
    send_and_approve(second, mira, jonas)
    wait_for(second, JobState.QUEUED)
    wait_for(first, JobState.SUCCEEDED)
    wait_for(second, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    assert not JobStep.objects.filter(job=second, changed=True).exists()
    assert Job.objects.filter(state=JobState.SUCCEEDED).count() == 2


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no connection that can be cut"
)
def test_a_cut_database_connection_is_no_lost_worker(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("after make-thing", "sleep", seconds=1.5)
    send_and_approve(job, mira, jonas)
    wait_until(lambda: world.effects == ALL_EFFECTS[:2])

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS
    assert not JobStep.objects.filter(job=job, lost_workers__gt=0).exists()
    assert not Entry.objects.filter(job_number=job.number, event="step.lost").exists()
