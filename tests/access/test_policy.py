"""How many people approve: one, two, and nobody only where all is simulated."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from portal.access.models import Person, Role, RoleGrant, Scope
from portal.errors import BadInput, NotAllowed, Outpaced
from portal.jobs import actions, runner
from portal.jobs.claim import take
from portal.jobs.models import ApprovalPolicy, ApprovalUse, Plan
from portal.jobs.policy import set_policy
from portal.jobs.states import JobState
from tests.access.planning import Desk, approve, fresh, plan_of
from tests.conftest import make_person


@pytest.fixture
def admin() -> Person:
    return make_person("Ada", Role.ADMIN)


@pytest.fixture
def lena() -> Person:
    return make_person("Lena", Role.APPROVER)


def test_two_people_approve_before_anything_starts(
    desk: Desk, admin: Person, jonas: Person, lena: Person
) -> None:
    set_policy(desk.scope, "toy", 2, by=admin)
    job = desk.sent()

    approve(job, jonas)
    job = fresh(job)
    assert job.state == JobState.AWAITING_APPROVAL
    assert "1 more" in job.note
    assert take(job.number) is None

    approve(job, lena)
    assert fresh(job).state == JobState.APPROVED
    assert take(job.number) is not None
    assert ApprovalUse.objects.filter(job=job).count() == 2


def test_one_of_two_is_not_enough_however_the_state_is_written(
    desk: Desk, admin: Person, jonas: Person
) -> None:
    set_policy(desk.scope, "", 2, by=admin)
    job = desk.sent()
    approve(job, jonas)
    type(job).objects.filter(pk=job.pk).update(
        state=JobState.APPROVED, run_after="2026-01-01T00:00Z"
    )

    assert take(job.number) is None
    assert fresh(job).state == JobState.PLAN_STALE


def test_the_same_person_is_not_two(desk: Desk, admin: Person, jonas: Person) -> None:
    set_policy(desk.scope, "toy", 2, by=admin)
    job = desk.sent()
    approve(job, jonas)

    with pytest.raises(Outpaced):
        approve(job, jonas)


def test_what_one_of_two_approved_is_not_sent_again_as_it_was(
    desk: Desk, admin: Person, jonas: Person
) -> None:
    set_policy(desk.scope, "toy", 2, by=admin)
    job = desk.sent()
    approve(job, jonas)
    actions.withdraw_job(job, by=desk.requester)

    with pytest.raises(Outpaced, match="decided"):
        actions.send_for_approval(job, by=desk.requester, reason="another window")


def test_an_approver_who_lost_the_role_has_approved_nothing(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)
    RoleGrant.objects.filter(person=jonas, role=Role.APPROVER).delete()

    assert take(job.number) is None
    assert fresh(job).state == JobState.PLAN_STALE


def test_an_approver_who_may_not_sign_in_has_approved_nothing(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)
    Person.objects.filter(pk=jonas.pk).update(is_active=False)

    assert take(job.number) is None


def test_nobody_approves_only_where_all_is_simulated(
    desk: Desk, admin: Person, jonas: Person
) -> None:
    Scope.objects.filter(pk=desk.scope.pk).update(is_simulated=False)
    desk.scope.refresh_from_db()
    with pytest.raises(BadInput, match="real"):
        set_policy(desk.scope, "toy", 0, by=admin)

    # Written past the action, it is not obeyed either, and the database refuses such a plan.
    ApprovalPolicy.objects.create(scope=desk.scope, kind="toy", approvers=0)
    job = desk.sent()
    plan = plan_of(job)
    assert plan.approvers == 1
    plan.pk, plan.digest, plan.approvers = None, "3" * 64, 0
    with pytest.raises(DatabaseError, match="simulator"), transaction.atomic():
        Plan.save(plan, force_insert=True)

    Scope.objects.filter(pk=desk.scope.pk).update(is_simulated=True)
    desk.scope.refresh_from_db()
    set_policy(desk.scope, "toy", 0, by=admin)
    job = desk.sent()
    assert fresh(job).state == JobState.APPROVED
    assert take(job.number) is not None


def test_a_changed_policy_voids_what_waits(desk: Desk, admin: Person, jonas: Person) -> None:
    job = desk.approved(jonas)
    set_policy(desk.scope, "toy", 2, by=admin)

    runner.run(job.number)

    job = fresh(job)
    assert job.state == JobState.PLAN_STALE
    assert job.failure is not None
    assert "approvers" in job.failure["message"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REQUESTER, Role.APPROVER, Role.AUDITOR])
def test_only_an_admin_changes_it(desk: Desk, role: str) -> None:
    with pytest.raises(NotAllowed):
        set_policy(desk.scope, "toy", 2, by=make_person("Somebody", role))


@pytest.mark.parametrize("approvers", [-1, 3, 99])
def test_a_policy_asks_for_one_or_two(desk: Desk, admin: Person, approvers: int) -> None:
    with pytest.raises(BadInput):
        set_policy(desk.scope, "toy", approvers, by=admin)
