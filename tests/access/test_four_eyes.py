"""Requester, uploader and approver are different people, whichever way somebody tries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from portal.access.models import Person, Role, Scope
from portal.errors import NotAllowed, Outpaced
from portal.jobs import actions
from portal.jobs.models import Approval, Job, Plan
from portal.jobs.states import JobState
from tests.access.planning import Desk, fresh, plan_of, slip
from tests.conftest import make_person

DECISIONS = [actions.approve_job, actions.send_back_job, actions.reject_job]


@pytest.fixture
def both(mira: Person) -> Person:
    """Mira, who may request and approve everywhere, and audits and administers as well."""
    for role in Role.values:
        mira.grants.get_or_create(role=role, scope=None, source="portal")
    return mira


def _decide(action: Any, job: Job, by: Person, digest: str = "") -> Any:
    more = {} if action is actions.approve_job else {"comment": "no"}
    return action(job, by=by, digest=digest or plan_of(job).digest, **more)


def _row(plan: Plan, approver: Person, **more: Any) -> Approval:
    later = timezone.now() + timedelta(hours=1)
    values: dict[str, Any] = {
        "plan": plan,
        "digest": plan.digest,
        "decision": "approved",
        "approver": approver,
        "requester_id": plan.requester_id,
        "uploader_id": plan.uploader_id,
        "start_by": later,
    }
    return Approval(**values | more)


def _insert(plan: Plan, approver: Person, **copies: Any) -> None:
    """What somebody with a database shell would type."""
    values: dict[str, Any] = {
        "plan_id": plan.pk,
        "digest": plan.digest,
        "decision": "approved",
        "approver_id": approver.pk,
        "requester_id": plan.requester_id,
        "uploader_id": plan.uploader_id,
        "comment": "",
        "start_by": timezone.now() + timedelta(hours=1),
        "decided_at": timezone.now(),
    } | copies
    marks = ", ".join(["%s"] * len(values))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO jobs_approval ({', '.join(values)}) VALUES ({marks})",  # noqa: S608
            list(values.values()),
        )


# --- requester -------------------------------------------------------------------------------


@pytest.mark.parametrize("action", DECISIONS)
def test_no_decision_about_an_own_request(desk: Desk, both: Person, action: Any) -> None:
    job = desk.sent()

    with pytest.raises(NotAllowed, match="You asked for this job"):
        _decide(action, job, both)

    assert fresh(job).state == JobState.AWAITING_APPROVAL
    assert not Approval.objects.exists()


@pytest.mark.parametrize("page", ["approve", "send-back", "reject"])
def test_no_decision_about_an_own_request_by_page(desk: Desk, both: Person, page: str) -> None:
    job = desk.sent()
    browser = Client()
    browser.force_login(both)

    answer = browser.post(
        f"/jobs/{job.name}/{page}/", {"digest": plan_of(job).digest, "comment": "no"}
    )

    assert answer.status_code == 403
    assert fresh(job).state == JobState.AWAITING_APPROVAL


def test_a_row_saved_by_hand_is_refused_by_the_check(desk: Desk, both: Person) -> None:
    job = desk.sent()

    with pytest.raises(IntegrityError), transaction.atomic():
        _row(plan_of(job), both).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.bulk_create([_row(plan_of(job), both)])


def test_a_row_with_a_forged_requester_is_refused_by_the_trigger(
    desk: Desk, both: Person, jonas: Person
) -> None:
    """The CHECK compares within the row; the trigger proves that the row tells the truth."""
    job = desk.sent()

    with pytest.raises(DatabaseError, match="carries digest, requester and uploader"):
        _insert(plan_of(job), both, requester_id=jonas.pk)
    with pytest.raises(DatabaseError, match="carries digest"), transaction.atomic():
        _row(plan_of(job), both, requester_id=jonas.pk).save()


def test_a_plan_with_a_forged_requester_is_refused_by_the_trigger(
    desk: Desk, both: Person, jonas: Person
) -> None:
    plan = plan_of(desk.sent())
    plan.pk, plan.requester = None, jonas

    with pytest.raises(DatabaseError, match="requester of its job"), transaction.atomic():
        plan.save(force_insert=True)


def test_the_requester_of_a_job_cannot_be_exchanged_under_its_plan(
    desk: Desk, both: Person, jonas: Person
) -> None:
    job = desk.sent()

    with pytest.raises(DatabaseError, match="keeps its requester"), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(requester=jonas)
    with pytest.raises(DatabaseError):
        _insert(plan_of(job), both)


# --- uploader --------------------------------------------------------------------------------


@pytest.fixture
def brought_by_jonas(desk: Desk, jonas: Person, settings: Any) -> Job:
    """A job that waits, whose certificate Jonas uploaded."""
    job = desk.sent()
    plan = plan_of(job)
    plan.pk, plan.uploader = None, jonas
    plan.digest = "1" * 64
    plan.save(force_insert=True)
    slip(job, state=JobState.AWAITING_APPROVAL, plan=plan)
    return fresh(job)


@pytest.mark.parametrize("action", DECISIONS)
def test_no_decision_about_an_own_certificate(
    brought_by_jonas: Job, jonas: Person, action: Any
) -> None:
    with pytest.raises(NotAllowed, match="You uploaded this certificate"):
        _decide(action, brought_by_jonas, jonas)

    assert not Approval.objects.exists()


def test_the_check_knows_the_uploader_and_the_trigger_that_he_is_told(
    brought_by_jonas: Job, jonas: Person, lena: Person
) -> None:
    plan = plan_of(brought_by_jonas)

    with pytest.raises(IntegrityError):
        _insert(plan, jonas)
    for forged in (None, lena.pk):
        with pytest.raises(DatabaseError, match="carries digest"):
            _insert(plan, jonas, uploader_id=forged)
    _insert(plan, lena)


# --- role and scope --------------------------------------------------------------------------


@pytest.mark.parametrize("role", [role for role in Role.values if role != "approver"])
def test_no_other_role_decides(desk: Desk, role: str) -> None:
    job = desk.sent()

    with pytest.raises(NotAllowed, match="needs the role Approver"):
        _decide(actions.approve_job, job, make_person("somebody", role))


def test_an_approver_of_another_organization_decides_nothing_here(
    desk: Desk, elsewhere: Scope
) -> None:
    with pytest.raises(NotAllowed, match="needs the role Approver for Contoso"):
        _decide(actions.approve_job, desk.sent(), make_person("far", Role.APPROVER, elsewhere))


def test_a_disabled_approver_decides_nothing(desk: Desk, jonas: Person) -> None:
    jonas.is_active = False

    with pytest.raises(NotAllowed):
        _decide(actions.approve_job, desk.sent(), jonas)


def test_nobody_stands_above_the_roles(database_url: str) -> None:
    """Django's own words for it do not exist on a person."""
    assert not hasattr(Person, "is_superuser")
    assert not hasattr(Person, "is_staff")


# --- once ------------------------------------------------------------------------------------


def test_one_person_decides_about_a_plan_once(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)

    with pytest.raises(Outpaced):
        _decide(actions.approve_job, job, jonas)
    with pytest.raises(IntegrityError):
        _insert(plan_of(job), jonas)


def test_a_decision_is_the_last_word(desk: Desk, jonas: Person, lena: Person) -> None:
    job = desk.sent()
    _decide(actions.reject_job, job, jonas)

    for action in DECISIONS:
        with pytest.raises(Outpaced):
            _decide(action, job, lena)
    assert fresh(job).state == JobState.REJECTED


def test_an_approval_names_its_latest_start(desk: Desk, jonas: Person) -> None:
    with pytest.raises(IntegrityError):
        _insert(plan_of(desk.sent()), jonas, start_by=None)
