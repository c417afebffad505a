"""Only the holder of the newest fence writes, and nothing without its line in the history."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Model
from django.utils import timezone

from portal.access.models import Person
from portal.audit import record as audit_record
from portal.audit.models import Entry
from portal.errors import Outpaced
from portal.jobs import actions, ends, plans, runner
from portal.jobs.claim import Claim, take
from portal.jobs.compare import compare
from portal.jobs.models import Installation, Job, JobStep, LogLine, ResourceLock
from portal.jobs.states import JobState, StepState
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from tests.access.planning import Desk, approve, fresh


def _first_step(job: Job) -> JobStep:
    return JobStep.objects.filter(job=job).earliest("position")


def _lose_lease(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_ends_at=timezone.now() - timedelta(seconds=1))


def _everything(job: Job) -> list[Any]:
    """What a stale writer must not touch."""
    return [
        list(Job.objects.filter(pk=job.pk).values()),
        list(JobStep.objects.filter(job=job).order_by("position").values()),
        LogLine.objects.filter(job=job).count(),
        ResourceLock.objects.count(),
        Entry.objects.count(),
    ]


WRITES: dict[str, Callable[[Claim, Job], Any]] = {
    "job": lambda claim, job: claim.write(note="x"),
    "step": lambda claim, job: claim.write_step(_first_step(job), state=StepState.DONE),
    "log": lambda claim, job: claim.log("x"),
    "end": lambda claim, job: ends.give_back(claim, ends.succeeded()),
    "failure": lambda claim, job: ends.give_back(claim, ends.stale("x")),
}


@pytest.mark.parametrize("write", WRITES)
def test_the_holder_writes(desk: Desk, jonas: Person, write: str) -> None:
    """Without this the refusals below would prove nothing."""
    job, claim = desk.claimed(jonas)
    before = _everything(job)

    WRITES[write](claim, job)

    assert _everything(job) != before


@pytest.mark.parametrize("write", WRITES)
def test_whoever_was_overtaken_writes_nothing(desk: Desk, jonas: Person, write: str) -> None:
    job, old = desk.claimed(jonas)
    _lose_lease(job)
    new = take(job.number)
    assert new is not None
    assert new.fence > old.fence
    before = _everything(job)

    with pytest.raises(Outpaced):
        WRITES[write](old, job)

    assert _everything(job) == before


@pytest.mark.parametrize("write", WRITES)
def test_whoever_lost_the_lease_writes_nothing_though_nobody_took_over(
    desk: Desk, jonas: Person, write: str
) -> None:
    job, claim = desk.claimed(jonas)
    _lose_lease(job)
    before = _everything(job)

    with pytest.raises(Outpaced):
        WRITES[write](claim, job)

    assert _everything(job) == before


@pytest.mark.parametrize("off_by", [-1, 1, 1000])
def test_a_fence_nobody_was_given_writes_nothing(desk: Desk, jonas: Person, off_by: int) -> None:
    _, claim = desk.claimed(jonas)
    forged = Claim(claim.number, claim.fence + off_by, claim.epoch, claim.portal_id, claim.state)

    with pytest.raises(Outpaced):
        forged.write(note="x")


def test_a_claim_on_one_job_writes_no_step_of_another(desk: Desk, jonas: Person) -> None:
    other = desk.approved(jonas)
    _, claim = desk.claimed(jonas)
    before = _everything(other)

    with pytest.raises(Outpaced):
        claim.write_step(_first_step(other), state=StepState.DONE)

    assert _everything(other) == before


def test_no_stale_write_of_very_many_hits(desk: Desk, jonas: Person) -> None:
    """Acceptance: 0 of 10,000. Old fences, of this job and of others, in random order."""
    job, claim = desk.claimed(jonas)
    claims = [claim]
    for _ in range(20):
        _lose_lease(job)
        newer = take(job.number)
        assert newer is not None
        claims.append(newer)
    *old, newest = claims
    newest.write(note="the newest")
    choose = random.Random(20261124)  # noqa: S311 -- a repeatable order
    hits = 0
    with transaction.atomic():
        for _ in range(10_000):
            stale = choose.choice(old)
            hits += Job.objects.filter(
                number=stale.number, fence=stale.fence, lease_ends_at__gt=timezone.now()
            ).update(note="stale")
    assert hits == 0
    assert fresh(job).note == "the newest"
    for stale in old:
        with pytest.raises(Outpaced):
            stale.write(note="stale")


def test_fences_rise_over_all_jobs(desk: Desk, jonas: Person) -> None:
    _, first = desk.claimed(jonas)
    claim_of_plan = desk.planned()
    assert fresh(claim_of_plan).fence > first.fence
    assert Installation.objects.get().fence >= fresh(claim_of_plan).fence
    ends.give_back(first, ends.stale("x"))


def test_a_held_job_is_given_to_nobody_else(desk: Desk, jonas: Person) -> None:
    job, _ = desk.claimed(jonas)

    assert take(job.number) is None
    assert runner.run(job.number) is False


def test_a_draining_portal_gives_nothing_away(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)
    Installation.objects.update(is_draining=True)

    assert take(job.number) is None
    Installation.objects.update(is_draining=False)
    assert take(job.number) is not None


# --- intent ----------------------------------------------------------------------------------


def _intend(claim: Claim, job: Job) -> Any:
    """The statement before every effect."""
    step = JobStep.objects.select_related("planned", "job").get(pk=_first_step(job).pk)
    kind = plans.kind_of("toy")
    code = kind.step(job, step.planned.key)
    assert code is not None
    with kind.open(job, {}) as context:
        look = code.look(context, None)
        found = compare(step.planned.before, step.planned.wanted, look.fields)
        runner._intend(claim, job, step, code, look, found, context)
        return runner._order(claim, job, step)


def test_the_intent_is_written_with_its_history(desk: Desk, jonas: Person) -> None:
    job, claim = desk.claimed(jonas)

    order = _intend(claim, job)

    assert order.fence == claim.fence
    assert _first_step(job).intent_at is not None
    assert Entry.objects.filter(event="step.intended").count() == 1


@pytest.mark.parametrize("loss", ["lease", "fence", "approval"])
def test_no_intent_and_so_no_effect_without_lease_fence_and_approval(
    desk: Desk, jonas: Person, loss: str, settings: Any
) -> None:
    job, claim = desk.claimed(jonas)
    match loss:
        case "lease":
            _lose_lease(job)
        case "fence":
            Job.objects.filter(pk=job.pk).update(fence=F("fence") + 1)
        case "approval":
            settings.APPROVAL_LIFE_S = 0.001
    before = _everything(job)

    with pytest.raises(Outpaced, match="nothing was changed"):
        _intend(claim, job)

    assert _everything(job) == before


# --- no history, no change -------------------------------------------------------------------


@pytest.fixture
def silenced(desk: Desk, jonas: Person) -> Any:
    """The database takes no line of history any more; what it has stays."""
    postgresql = connection.vendor == "postgresql"

    def silence() -> None:
        with connection.cursor() as cursor:
            if postgresql:
                cursor.execute(
                    "ALTER TABLE audit_entry ADD CONSTRAINT no_room CHECK (false) NOT VALID"
                )
            else:
                cursor.execute(
                    "CREATE TRIGGER no_room BEFORE INSERT ON audit_entry "
                    "BEGIN SELECT RAISE(ABORT, 'no room'); END"
                )

    return silence


def _counts() -> list[int]:
    models: list[type[Model]] = [*apps.get_app_config("jobs").get_models(), Secret]
    return [model._default_manager.count() for model in models]


def test_without_history_nobody_decides_anything(desk: Desk, jonas: Person, silenced: Any) -> None:
    drafted, waiting, approved = desk.planned(), desk.sent(), desk.approved(jonas)
    silenced()
    before, rows = _counts(), [_everything(job) for job in (drafted, waiting, approved)]
    deeds: list[Callable[[], Any]] = [
        lambda: actions.draft_job("toy", desk.scope, by=desk.requester, inputs={}),
        lambda: actions.change_inputs(drafted, by=desk.requester, folder="x"),
        lambda: actions.ask_for_checks(drafted, by=desk.requester),
        lambda: actions.send_for_approval(drafted, by=desk.requester, reason="x"),
        lambda: actions.withdraw_job(waiting, by=desk.requester),
        lambda: approve(waiting, jonas),
        lambda: actions.reject_job(waiting, by=jonas, digest=_digest(waiting), comment="x"),
        lambda: actions.send_back_job(waiting, by=jonas, digest=_digest(waiting), comment="x"),
        lambda: take(approved.number),
        lambda: seal_secret(b"x", kind="job", label="x", by=desk.requester),
    ]

    for deed in deeds:
        with pytest.raises((DatabaseError, Outpaced)):
            deed()

    assert _counts() == before
    assert [_everything(job) for job in (drafted, waiting, approved)] == rows


def _digest(job: Job) -> str:
    plan = fresh(job).plan
    assert plan is not None
    return plan.digest


def test_without_history_a_worker_changes_nothing(desk: Desk, jonas: Person, silenced: Any) -> None:
    job, claim = desk.claimed(jonas)
    silenced()
    before = _everything(job)

    with pytest.raises(DatabaseError):
        _intend(claim, job)
    with pytest.raises(DatabaseError):
        ends.give_back(claim, ends.succeeded())

    assert _everything(job) == before
    assert "red" in (desk.folder / "world.json").read_text()
    assert not (desk.folder / "effects.log").exists()


def test_a_line_of_history_needs_a_transaction_and_a_known_event(desk: Desk, mira: Person) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        audit_record.record("job.sent", mira, by=mira)
    with pytest.raises(ValueError, match="no event"), transaction.atomic():
        audit_record.record("job.invented", mira, by=mira)


def test_what_ends_a_job_and_its_line_stand_together(desk: Desk, jonas: Person) -> None:
    job, claim = desk.claimed(jonas)

    ends.give_back(claim, ends.stale("x"))

    line = Entry.objects.filter(job_number=job.number).latest("pk")
    assert (line.event, fresh(job).state) == ("job.plan_stale", JobState.PLAN_STALE)
    assert line.actor is None
