"""Undo is a plan of its own: back to the kept befores, in reverse order, past what somebody else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.access.models import Person, Scope
from portal.errors import BadInput
from portal.jobs import actions
from portal.jobs.models import ApprovalPolicy, Job
from portal.jobs.states import JobState
from portal.jobs.undo import SLUG
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack


def test_what_a_job_did_goes_back_in_reverse_order(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world, job = _done(stack, tmp_path, scope, mira, jonas)
    before = {"colour": "red", "thing": None, "used": None}

    undo = _undo(job, mira)
    assert world.effects == ALL_EFFECTS
    send_and_approve(undo, mira, jonas)
    wait_for(undo, JobState.SUCCEEDED)

    assert world.read() == before
    assert [line.split()[0] for line in world.effects[3:]] == [
        "undo-use-thing",
        "undo-make-thing",
        "undo-set-colour",
    ]


def test_what_somebody_else_changed_since_stays_and_is_named(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world, job = _done(stack, tmp_path, scope, mira, jonas)
    world.write(colour="yellow")

    undo = _undo(job, mira)
    assert undo.plan is not None
    row = undo.plan.steps.get(key="undo-set-colour")
    assert (row.before, row.wanted) == ({"colour": "yellow"}, {"colour": "yellow"})
    assert row.shown["changed by somebody else since, stays"] == ["colour"]
    send_and_approve(undo, mira, jonas)
    wait_for(undo, JobState.SUCCEEDED)

    assert world.read()["colour"] == "yellow"
    assert world.read()["used"] is None


def test_of_a_failed_job_only_what_it_did_goes_back(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    stack.worker()
    job = planned_job(world, scope, mira, "sides")
    world.dial("before right", "refused", times=99)
    send_and_approve(job, mira, jonas)
    job = wait_for(job, JobState.FAILED)
    world.heal()

    undo = _undo(job, mira)
    send_and_approve(undo, mira, jonas)
    wait_for(undo, JobState.SUCCEEDED)

    assert world.read()["left"] is None
    assert len(world.effects) == 2


def test_taking_back_needs_as_many_people_as_doing(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    _, job = _done(stack, tmp_path, scope, mira, jonas)
    ApprovalPolicy.objects.create(scope=scope, kind="toy", approvers=2)

    undo = _undo(job, mira)

    assert undo.plan is not None
    assert undo.plan.approvers == 2


def test_what_did_nothing_has_no_undo(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    _, job = _done(stack, tmp_path, scope, mira, jonas)
    draft = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(tmp_path)})
    with pytest.raises(BadInput, match="not ended"):
        actions.draft_job(SLUG, scope, by=mira, inputs={"of": draft.number})
    with pytest.raises(BadInput, match="no such job"):
        actions.draft_job(SLUG, scope, by=mira, inputs={"of": 999_999})
    actions.discard_draft(draft, by=mira)
    with pytest.raises(BadInput, match="changed nothing"):
        actions.draft_job(SLUG, scope, by=mira, inputs={"of": draft.number})

    undo = _undo(job, mira)
    send_and_approve(undo, mira, jonas)
    undo = wait_for(undo, JobState.SUCCEEDED)
    with pytest.raises(BadInput, match="undo itself"):
        actions.draft_job(SLUG, scope, by=mira, inputs={"of": undo.number})


def _done(
    stack: Stack, folder: Path, scope: Scope, mira: Person, jonas: Person
) -> tuple[ToyWorld, Job]:
    world = ToyWorld(folder)
    stack.worker()
    job = planned_job(world, scope, mira)
    send_and_approve(job, mira, jonas)
    return world, wait_for(job, JobState.SUCCEEDED)


def _undo(job: Job, by: Person) -> Job:
    undo = actions.draft_job(SLUG, job.scope, by=by, inputs={"of": job.number})
    actions.ask_for_checks(undo, by=by)
    return wait_for(undo, JobState.DRAFT)
