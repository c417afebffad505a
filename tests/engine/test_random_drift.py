"""Random changes by others and random crashes on the toy's plan: nothing foreign is written over, nothing is done
twice, and no job stops where nobody else did anything.

The engine runs in this process. A crash is an exception that nothing may catch, at every point at which the toy is
asked or changed; the lease then ends as it does when a process is gone. The oracle is the toy's world and ledger.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from portal.access.models import Person, Scope
from portal.jobs import actions, plans, runner, steering
from portal.jobs.models import Job, JobStep, ResourceLock
from portal.jobs.states import FINAL, JobState
from tests.toy.plan import Toy, World

FIELDS = ("colour", "thing", "used")
WANTED = {"colour": "green", "thing": "there", "used": "thing-7"}
CHUNKS = 20


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Fate:
    """What happens to one job: when it crashes, and what somebody else does meanwhile.

    :ivar foreign: fields that somebody else has written.
    :ivar stale_writes: effects that wrote over what was neither before nor wanted.
    """

    choose: random.Random
    folder: Path
    crashes: float
    drift: float
    foreign: set[str] = field(default_factory=set)
    effects: list[str] = field(default_factory=list)
    stale_writes: list[str] = field(default_factory=list)

    def strike(self) -> None:
        if self.choose.random() < self.crashes:
            raise Crash
        if self.choose.random() < self.drift:
            name = self.choose.choice(FIELDS)
            path = self.folder / "world.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {name: "theirs"}))
            self.foreign.add(name)


FATES: dict[Path, Fate] = {}


@dataclass(frozen=True)
class WildWorld(World):
    """The toy's world at whose every point something may happen."""

    def strike(self, point: str, late: list[Any] | None = None) -> None:
        # A change by somebody else between the last look and the write is beyond any engine's eye: the toy has no
        # compare-and-set. So it happens at looks and after effects.
        fate = FATES[self.folder]
        if point.startswith("before"):
            if fate.choose.random() < fate.crashes:
                raise Crash
        else:
            fate.strike()

    def take_effect(self, step: str, name: str, value: object, fence: int) -> None:
        fate = FATES[self.folder]
        now = json.loads((self.folder / "world.json").read_text()).get(name)
        if now == "theirs":
            fate.stale_writes.append(name)
        fate.effects.append(name)
        super().take_effect(step, name, value, fence)


class Wild(Toy):
    slug = "wild"
    title = "Wild toy"

    @contextmanager
    def open(self, job: Job, made: dict[str, dict[str, str]]) -> Iterator[World]:
        world = WildWorld(Path(job.inputs["folder"]), made)
        yield world
        world.strike("close")


@pytest.fixture(autouse=True)
def _in_this_process(settings: Any) -> None:
    # Long enough that the alarm never ends the test's own process.
    settings.LEASE_S = 3600
    plans.register(Wild())


def carried(scope: Scope, mira: Person, jonas: Person, fate: Fate) -> Job:
    """One job from draft to wherever it ends."""
    FATES[fate.folder] = Fate(fate.choose, fate.folder, 0, 0)
    (fate.folder / "world.json").write_text(json.dumps({"colour": "red"}))
    job = actions.draft_job("wild", scope, by=mira, inputs={"folder": str(fate.folder)})
    actions.ask_for_checks(job, by=mira)
    runner.run(job.number)
    job = Job.objects.select_related("plan", "scope").get(pk=job.pk)
    actions.send_for_approval(job, by=mira, reason="because")
    assert job.plan is not None
    actions.approve_job(job, by=jonas, digest=job.plan.digest)
    FATES[fate.folder] = fate
    for _ in range(60):
        long_ago = timezone.now() - timedelta(hours=1)
        Job.objects.filter(pk=job.pk).update(run_after=long_ago)
        JobStep.objects.filter(job=job, in_doubt=True).update(
            intent_at=long_ago, doubted_at=long_ago
        )
        try:
            runner.run(job.number)
        except Crash:
            Job.objects.filter(pk=job.pk, lease_ends_at__isnull=False).update(
                lease_ends_at=long_ago
            )
        job.refresh_from_db()
        if job.state in FINAL:
            return job
    return job


def _hold(job: Job, fate: Fate) -> None:
    world = json.loads((fate.folder / "world.json").read_text())
    steps = list(JobStep.objects.filter(job=job).select_related("planned"))
    lost = any(step.lost_workers >= runner.POISON for step in steps)
    story = f"{job.state} {job.failure} {fate} {world}"
    assert fate.stale_writes == [], story
    assert len(fate.effects) == len(set(fate.effects)), story
    for name in fate.foreign:
        assert world[name] == "theirs", story
    if not fate.foreign and not lost:
        assert job.state == JobState.SUCCEEDED, story
        assert {name: world[name] for name in FIELDS} == WANTED, story
    if job.state == JobState.OUTCOME_UNKNOWN:
        assert lost, story
    else:
        assert job.state in FINAL, story
        assert not ResourceLock.objects.filter(job=job).exists(), story
    for step in steps:
        # What history says was changed by a step is what the ledger has of it, and nothing else.
        name = next(iter(step.planned.before))
        if step.state == "done":
            assert step.changed == (name in fate.effects), story


def _chunk(seed: int, count: int, scope: Scope, mira: Person, jonas: Person, folder: Path) -> None:
    choose = random.Random(seed)  # noqa: S311 -- a repeatable order
    for case in range(count):
        place = folder / str(case)
        place.mkdir()
        crashes, drift = choose.choice([(0.1, 0), (0, 0.08), (0.08, 0.05), (0.2, 0.02)])
        fate = Fate(choose, place, crashes, drift)
        job = carried(scope, mira, jonas, fate)
        _hold(job, fate)
        if job.state == JobState.OUTCOME_UNKNOWN:
            steering.settle_by_person(job, by=mira, found="Looked at by hand.")


@pytest.mark.parametrize("seed", range(2))
def test_a_few_random_drifts_and_crashes(
    seed: int, scope: Scope, mira: Person, jonas: Person, tmp_path: Path
) -> None:
    _chunk(1000 + seed, 15, scope, mira, jonas, tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(CHUNKS))
def test_ten_thousand_random_drifts_and_crashes(
    seed: int, scope: Scope, mira: Person, jonas: Person, tmp_path: Path
) -> None:
    _chunk(seed, 10_000 // CHUNKS, scope, mira, jonas, tmp_path)
