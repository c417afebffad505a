"""An approval is for one plan, by its digest, once, and until its latest start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from portal.access.models import Person
from portal.audit.models import Entry
from portal.errors import BadInput, NotAllowed, Outpaced
from portal.jobs import actions
from portal.jobs.claim import take
from portal.jobs.models import Approval, ApprovalUse, Job, Plan, PlanStep
from portal.jobs.states import JobState
from tests.access.conftest import As
from tests.access.planning import Desk, approve, fresh, plan_of, slip


def _is_refused(job: Job) -> None:
    """No worker gets the job, and no approval was used."""
    assert take(job.number) is None
    assert not ApprovalUse.objects.exists()


def test_an_approved_job_is_claimed_once_and_uses_its_approval(desk: Desk, jonas: Person) -> None:
    """Without this the refusals below would prove nothing."""
    job = desk.approved(jonas)

    assert take(job.number) is not None
    assert take(job.number) is None
    assert ApprovalUse.objects.get().job == job


# --- the plan that was read --------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["", "0" * 64, "another"])
def test_another_digest_than_the_plans_is_refused(desk: Desk, jonas: Person, digest: str) -> None:
    job = desk.sent()

    with pytest.raises(Outpaced):
        actions.approve_job(job, by=jonas, digest=digest)
    with pytest.raises(DatabaseError), transaction.atomic():
        _approval_of(plan_of(job), jonas, digest=digest).save()
    _is_refused(job)


def test_the_plan_of_another_job_is_refused(desk: Desk, jonas: Person) -> None:
    first, second = desk.sent(), desk.sent()
    assert plan_of(first).digest != plan_of(second).digest

    with pytest.raises(Outpaced):
        actions.approve_job(first, by=jonas, digest=plan_of(second).digest)


def test_a_plan_made_anew_after_sending_needs_to_be_read_anew(desk: Desk, jonas: Person) -> None:
    job = desk.sent()
    read = plan_of(job)
    actions.withdraw_job(job, by=desk.requester)
    job = desk.planned_again(job)
    actions.send_for_approval(job, by=desk.requester, reason="because")
    assert plan_of(job).pk != read.pk

    if plan_of(job).digest != read.digest:
        with pytest.raises(Outpaced, match="no longer the plan"):
            actions.approve_job(job, by=jonas, digest=read.digest)
    else:
        # Word for word the same: what was read is what is approved, but the older row is not it.
        actions.approve_job(job, by=jonas, digest=read.digest)
        assert Approval.objects.get().plan == plan_of(job)


def test_the_same_plan_sent_again_with_another_window_needs_to_be_read_anew(
    desk: Desk, jonas: Person, as_: As
) -> None:
    """The digest is the same; the page that is still open shows the weekend, the job says now."""
    begins = timezone.now() + timedelta(days=2)
    job, window = desk.planned(), (begins, begins + timedelta(hours=2))
    actions.send_for_approval(job, by=desk.requester, reason="At the weekend", window=window)
    page = as_(jonas).get(f"/jobs/{job.name}/review/").text
    form = {
        name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("digest", "sent")
    }
    actions.withdraw_job(fresh(job), by=desk.requester)
    actions.send_for_approval(fresh(job), by=desk.requester, reason="Now")
    assert plan_of(job).digest == form["digest"]

    answer = as_(jonas).post(f"/jobs/{job.name}/approve/", form)

    assert answer.status_code == 409
    assert fresh(job).state == JobState.AWAITING_APPROVAL


def test_an_approval_of_an_older_plan_does_not_carry_a_newer_one(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)
    newer = plan_of(job)
    newer.pk, newer.digest = None, "2" * 64
    newer.save(force_insert=True)
    slip(job, state=JobState.APPROVED, plan=newer)

    _is_refused(job)
    assert fresh(job).state == JobState.PLAN_STALE


def test_an_approval_is_used_by_the_job_of_its_plan(desk: Desk, jonas: Person) -> None:
    first, second = desk.approved(jonas), desk.approved(jonas)
    approval = Approval.objects.get(plan=plan_of(first))

    with pytest.raises(DatabaseError, match="job of its plan"), transaction.atomic():
        ApprovalUse.objects.create(approval=approval, job=second, fence=1)


def test_a_second_job_cannot_borrow_the_plan(desk: Desk, jonas: Person) -> None:
    """The approval holds for the plan, but its one use belongs to the plan's own job."""
    first, second = desk.approved(jonas), desk.sent()
    before = fresh(second).fence
    slip(second, state=JobState.APPROVED, plan=plan_of(first))

    assert take(second.number) is None
    assert fresh(second).state == JobState.PLAN_STALE
    with pytest.raises(DatabaseError), transaction.atomic():
        ApprovalUse.objects.create(approval=Approval.objects.get(), job=second, fence=1)
    assert not ApprovalUse.objects.exists()
    assert fresh(second).fence == before


def test_a_used_approval_is_used_up(desk: Desk, jonas: Person) -> None:
    job, claim = desk.claimed(jonas)
    claim.write(state=JobState.FAILED, lease_ends_at=None)
    later = desk.sent()
    slip(later, state=JobState.APPROVED, plan=plan_of(job))

    assert take(later.number) is None
    with pytest.raises(DatabaseError), transaction.atomic():
        ApprovalUse.objects.create(approval=Approval.objects.get(), job=job, fence=99)


@pytest.mark.parametrize("decision", ["sent_back", "rejected"])
def test_only_a_yes_carries_a_job(desk: Desk, jonas: Person, decision: str) -> None:
    job = desk.sent()
    _approval_of(plan_of(job), jonas, decision=decision).save()
    Job.objects.filter(pk=job.pk).update(state=JobState.APPROVED, run_after=timezone.now())

    _is_refused(job)
    with pytest.raises(DatabaseError), transaction.atomic():
        ApprovalUse.objects.create(approval=Approval.objects.get(), job=job, fence=1)


def test_a_state_without_an_approval_carries_nothing(desk: Desk) -> None:
    """Whoever can write the job's row cannot start it."""
    for state in ("approved", "queued", "running", "waiting_external", "needs_person"):
        job = desk.sent()
        Job.objects.filter(pk=job.pk).update(state=state, run_after=timezone.now())

        _is_refused(job)
        assert fresh(job).state == JobState.PLAN_STALE


# --- time ------------------------------------------------------------------------------------


def _approval_of(plan: Plan, approver: Person, **more: Any) -> Approval:
    values: dict[str, Any] = {
        "digest": plan.digest,
        "decision": "approved",
        "requester_id": plan.requester_id,
        "uploader_id": plan.uploader_id,
        "start_by": timezone.now() + timedelta(hours=1),
    }
    return Approval(plan=plan, approver=approver, **values | more)


def test_an_approval_whose_latest_start_has_passed_starts_nothing(
    desk: Desk, jonas: Person
) -> None:
    job = desk.sent()
    _approval_of(plan_of(job), jonas, start_by=timezone.now() - timedelta(seconds=1)).save()
    Job.objects.filter(pk=job.pk).update(state=JobState.APPROVED, run_after=timezone.now())

    _is_refused(job)
    job = fresh(job)
    assert job.state == JobState.PLAN_STALE
    assert job.failure is not None
    assert job.failure["code"] == "SSS-APPROVAL-ENDED"
    assert Entry.objects.filter(job_number=job.number, event="job.plan_stale").count() == 1


def test_an_approval_lives_a_day_or_until_the_end_of_its_window(
    desk: Desk, jonas: Person, settings: Any
) -> None:
    approval = approve(desk.sent(), jonas)
    assert approval.start_by is not None
    left = approval.start_by - timezone.now()
    assert timedelta(hours=23, minutes=59) < left < timedelta(hours=24, minutes=1)

    begins = timezone.now() + timedelta(days=2)
    job = desk.planned()
    actions.send_for_approval(
        job, by=desk.requester, reason="x", window=(begins, begins + timedelta(hours=2))
    )
    assert approve(job, jonas).start_by == begins + timedelta(hours=2)
    assert take(job.number) is None
    assert fresh(job).state == JobState.APPROVED


@pytest.mark.parametrize(
    ("starts", "ends"),
    [(2, 1), (1, 1), (-2, -1), (1, 7 * 24 + 1), (24 * 8, 24 * 9)],
    ids=lambda hours: f"{hours}h",
)
def test_a_window_lies_ahead_and_within_seven_days(desk: Desk, starts: int, ends: int) -> None:
    job, now = desk.planned(), timezone.now()

    with pytest.raises(BadInput):
        actions.send_for_approval(
            job,
            by=desk.requester,
            reason="x",
            window=(now + timedelta(hours=starts), now + timedelta(hours=ends)),
        )
    assert fresh(job).state == JobState.DRAFT


def test_a_window_that_has_passed_cannot_be_approved_any_more(desk: Desk, jonas: Person) -> None:
    job, now = desk.planned(), timezone.now()
    window = (now + timedelta(hours=1), now + timedelta(hours=2))
    actions.send_for_approval(job, by=desk.requester, reason="x", window=window)
    Job.objects.filter(pk=job.pk).update(window_ends_at=now - timedelta(minutes=1))

    with pytest.raises(BadInput) as refusal:
        approve(fresh(job), jonas)

    assert refusal.value.code == "SSS-WINDOW-PASSED"
    assert fresh(job).state == JobState.AWAITING_APPROVAL


def test_a_job_that_began_may_go_on_for_a_day_and_no_longer(
    desk: Desk, jonas: Person, settings: Any
) -> None:
    job, claim = desk.claimed(jonas)
    claim.write(lease_ends_at=None, run_after=timezone.now())
    assert take(job.number) is not None
    Job.objects.filter(pk=job.pk).update(lease_ends_at=None)

    settings.APPROVAL_LIFE_S = 0.001  # by now its start is longer ago than that
    assert take(job.number) is None
    assert fresh(job).state == JobState.PLAN_STALE


# --- inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["awaiting_approval", "approved", "running", "succeeded"])
def test_inputs_cannot_be_changed_once_the_plan_was_sent(desk: Desk, state: str) -> None:
    job = desk.sent()
    Job.objects.filter(pk=job.pk).update(state=state)

    changes: list[Callable[[], Any]] = [
        lambda: actions.change_inputs(job, by=desk.requester, folder="/elsewhere"),
        lambda: actions.ask_for_checks(job, by=desk.requester),
    ]
    for change in changes:
        with pytest.raises(Outpaced):
            change()
    assert fresh(job).inputs == {"folder": str(desk.folder)}
    assert fresh(job).plan is not None


def test_changed_inputs_take_the_plan_away(desk: Desk) -> None:
    job = desk.planned()

    actions.change_inputs(job, by=desk.requester, folder=str(desk.folder / "other"))

    assert fresh(job).plan is None
    with pytest.raises(Outpaced, match="no plan"):
        actions.send_for_approval(job, by=desk.requester, reason="because")


def test_what_is_sent_is_the_plan_that_is_there_not_one_read_before(desk: Desk) -> None:
    """The page was open while the plan went: it must not be sent by the older object."""
    before = desk.planned()
    actions.change_inputs(fresh(before), by=desk.requester, folder=str(desk.folder / "other"))

    with pytest.raises(Outpaced):
        actions.send_for_approval(before, by=desk.requester, reason="because")
    assert fresh(before).state == JobState.DRAFT


def test_a_decision_by_an_older_object_keeps_the_plan_that_is_there(
    desk: Desk, jonas: Person
) -> None:
    read = desk.sent()
    actions.withdraw_job(fresh(read), by=desk.requester)
    again = desk.planned_again(fresh(read))
    actions.send_for_approval(again, by=desk.requester, reason="because")
    assert read.plan is not None
    assert read.plan.pk != plan_of(read).pk

    actions.reject_job(read, by=jonas, digest=plan_of(read).digest, comment="no")

    assert fresh(read).state == JobState.REJECTED
    assert plan_of(read).pk == Approval.objects.get().plan_id


def test_inputs_written_past_the_actions_change_nothing_that_runs(
    desk: Desk, jonas: Person
) -> None:
    """The plan's own rows are what runs, and they cannot be written."""
    job, _ = desk.claimed(jonas)
    wanted = list(PlanStep.objects.values_list("wanted", flat=True))

    slip(job, state=JobState.RUNNING, inputs={"folder": "/elsewhere"})

    assert list(PlanStep.objects.values_list("wanted", flat=True)) == wanted


def test_only_the_requester_sends_changes_and_withdraws(desk: Desk, jonas: Person) -> None:
    jonas.grants.create(role="requester", scope=None, source="portal")
    job = desk.planned()

    deeds: list[Callable[[], Any]] = [
        lambda: actions.send_for_approval(job, by=jonas, reason="x"),
        lambda: actions.change_inputs(job, by=jonas, folder="x"),
        lambda: actions.ask_for_checks(job, by=jonas),
        lambda: actions.withdraw_job(job, by=jonas),
    ]
    for deed in deeds:
        with pytest.raises(NotAllowed, match="is the request of"):
            deed()


def test_a_plan_with_its_approvals_cannot_be_deleted(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)

    with pytest.raises((ProtectedError, DatabaseError)), transaction.atomic():
        plan_of(job).delete()
    with pytest.raises((ProtectedError, DatabaseError)), transaction.atomic():
        job.delete()
