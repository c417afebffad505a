"""The engine stopped for an upgrade: a real worker ends its step, and nothing new is claimed."""

from __future__ import annotations

import json
from pathlib import Path

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.jobs import actions
from portal.jobs.draining import drain
from portal.jobs.models import Installation, Job, JobStep
from portal.jobs.states import JobState, StepState
from tests.command_line.running import command
from tests.engine.toy_world import ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack
from tests.waiting import wait_until


def test_the_step_at_work_ends_and_the_rest_waits(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before set-colour", "sleep", seconds=2)
    send_and_approve(job, mira, jonas)
    wait_until(lambda: JobStep.objects.filter(job=job, intent_at__isnull=False).exists())

    # In this process: starting another may take as long as the step.
    drained = command("engine", "drain", "--json")

    assert world.effects == ["set-colour colour"]
    assert drained.code == 0
    told = drained.json
    assert (told["is_draining"], told["leases"], told["due"]) == (True, [], ["J-1"])
    assert "Waits for the step of J-1" in drained.err
    again = json.loads(stack.command("engine", "drain", "--json").stdout)
    assert (again["is_draining"], again["leases"]) == (True, [])
    other = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(tmp_path)})
    actions.ask_for_checks(other, by=mira)
    status = stack.command("engine", "status")
    assert status.stdout.startswith("Engine of this rehearsal portal: draining\n")
    assert "Due now:     J-1, J-2\n" in status.stdout
    assert "had J-1" in status.stdout
    assert Job.objects.get(pk=other.pk).fence == 0

    resumed = stack.command("engine", "resume")

    assert resumed.stdout == "The engine goes on.\n"
    wait_for(job, JobState.SUCCEEDED)
    wait_for(other, JobState.DRAFT)
    assert set(JobStep.objects.filter(job=job).values_list("state", flat=True)) == {StepState.DONE}
    events = Entry.objects.filter(event__startswith="engine.").order_by("pk")
    assert [(row.event, row.actor, row.via) for row in events] == [
        ("engine.drained", None, "command"),
        ("engine.resumed", None, "command"),
    ]


def test_a_step_that_does_not_end_in_time_is_named(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira)
    world.dial("before set-colour", "sleep", seconds=3)
    send_and_approve(job, mira, jonas)
    wait_until(lambda: JobStep.objects.filter(job=job, intent_at__isnull=False).exists())

    ended = command("engine", "drain", "--timeout", "0.3")

    assert ended.code == 5
    assert ended.out == "Still held after 0 s: J-1. Nothing new is claimed meanwhile.\n"
    assert Installation.objects.get().is_draining


def test_draining_twice_is_said_once(database_url: str) -> None:
    assert drain()
    assert not drain()

    assert Entry.objects.filter(event="engine.drained").count() == 1
    assert command("engine", "resume").out == "The engine goes on.\n"
    assert command("engine", "resume").out == "The engine was not draining.\n"


def test_nothing_is_claimed_from_the_commit_on(stack: Stack, scope: Scope, mira: Person) -> None:
    drain()
    stack.worker()
    job = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(stack.folder)})
    actions.ask_for_checks(job, by=mira)

    ended = command("engine", "drain", "--json")

    assert (ended.code, ended.json["due"]) == (0, ["J-1"])
    assert ended.json["workers_seen"] == []


def test_a_fresh_portal_says_that_no_watch_was_seen(database_url: str) -> None:
    ended = command("engine", "status")

    assert "Watch seen:  never" in ended.out
    assert "Held now:    nothing" in ended.out
