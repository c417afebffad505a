"""What somebody of one organization can read of another by the rows themselves: nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet

from portal.access.actions import grant_role
from portal.access.models import Person, Role, RoleGrant, Scope
from portal.access.roles import demand, has_role, has_role_everywhere, holders
from portal.audit.models import Entry
from portal.errors import BadInput, NotAllowed
from portal.jobs import actions
from portal.jobs.models import Job
from sync_setup.actions import record_answer, register_organization, register_tenant
from sync_setup.certificates import upload_certificate
from sync_setup.models import Organization
from tests.access.planning import Desk
from tests.conftest import make_person
from tests.web_setup.world import Company, make_company

QUERYSETS: dict[str, Callable[[Person], QuerySet[Any]]] = {
    "scopes": lambda person: Scope.objects.for_person(person),
    "jobs": lambda person: Job.objects.for_person(person),
    "history": lambda person: Entry.objects.for_person(person),
    "organizations": lambda person: Organization.objects.for_person(person),
}


@pytest.fixture
def company(database_url: str, mira: Person, tmp_path: Path, settings: Any) -> Company:
    """Two organizations, each with a job and its history."""
    settings.LEASE_S = 120
    found = make_company(make_person("tom", Role.ADMIN))
    for organization in (found.sales, found.service):
        folder = tmp_path / organization.unique_name
        folder.mkdir()
        Desk(organization.scope, mira, folder).sent()
    return found


def _scopes_of(rows: QuerySet[Any]) -> set[int | None]:
    return {row.pk if isinstance(row, Scope) else row.scope_id for row in rows}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("name", QUERYSETS)
def test_a_role_in_one_organization_shows_that_one_alone(
    company: Company, name: str, role: str
) -> None:
    person = make_person("one", role, company.sales.scope)

    assert _scopes_of(QUERYSETS[name](person)) == {company.sales.scope_id}


@pytest.mark.parametrize("name", QUERYSETS)
def test_a_role_everywhere_shows_both(company: Company, name: str) -> None:
    person = make_person("every", Role.VIEWER)

    expected = {company.sales.scope_id, company.service.scope_id}
    assert _scopes_of(QUERYSETS[name](person)) == expected


@pytest.mark.parametrize("name", QUERYSETS)
def test_no_role_and_no_active_account_show_nothing(company: Company, name: str) -> None:
    nobody = Person.objects.create(username="nobody")
    left = make_person("left", Role.ADMIN)
    left.is_active = False

    assert not QUERYSETS[name](nobody).exists()
    assert not QUERYSETS[name](left).exists()


@pytest.mark.parametrize(
    ("role", "sees"), [(role, role in ("auditor", "admin")) for role in Role.values]
)
def test_history_of_no_organization_is_for_auditors_and_admins_of_all(
    company: Company, role: str, sees: bool
) -> None:
    everywhere = make_person("every", role)
    in_one = make_person("one", role, company.sales.scope)
    of_none = Entry.objects.filter(scope=None)
    assert of_none.exists()

    assert Entry.objects.for_person(everywhere).filter(scope=None).exists() == sees
    assert not Entry.objects.for_person(in_one).filter(scope=None).exists()


def test_a_named_role_counts_where_it_is_held(company: Company) -> None:
    person = make_person("both", Role.VIEWER)
    person.grants.create(role=Role.APPROVER, scope=company.sales.scope, source="portal")

    assert Job.objects.for_person(person).count() == 2
    assert {job.scope_id for job in Job.objects.for_person(person, Role.APPROVER)} == {
        company.sales.scope_id
    }
    assert has_role(person, Role.APPROVER, company.sales.scope)
    assert not has_role(person, Role.APPROVER, company.service.scope)
    assert person in holders(Role.APPROVER, company.sales.scope)
    assert person not in holders(Role.APPROVER, company.service.scope)


def test_what_several_organizations_share_needs_an_admin_of_all(
    company: Company, mira: Person
) -> None:
    in_one = make_person("one", Role.ADMIN, company.sales.scope)

    assert has_role(in_one, Role.ADMIN)
    assert not has_role_everywhere(in_one, Role.ADMIN)
    deeds: list[Callable[[], Any]] = [
        lambda: demand(in_one, Role.ADMIN),
        lambda: register_tenant("x", "x", "x", by=in_one),
        lambda: register_organization(company.deployment, company.tenant, "Other", by=in_one),
        lambda: grant_role(mira, Role.APPROVER, None, by=in_one),
        lambda: grant_role(in_one, Role.ADMIN, None, by=in_one),
    ]
    for deed in deeds:
        with pytest.raises(NotAllowed, match="Admin for all organizations"):
            deed()
    assert RoleGrant.objects.filter(person=in_one).count() == 1


@pytest.mark.parametrize("role", Role.values)
def test_no_deed_for_another_organization(company: Company, role: str) -> None:
    """Neither drafts, nor reads, answers or certificates: whatever role somebody has elsewhere."""
    far = make_person("far", role, company.service.scope)
    sales = company.sales
    deeds: list[Callable[[], Any]] = [
        lambda: actions.draft_job("connect-organization", sales.scope, by=far),
        lambda: actions.start_reading("read-organization", sales.scope, by=far),
        lambda: record_answer(sales, "ews-allow-list", "x", by=far),
        lambda: upload_certificate(sales, b"x", "x", by=far),
    ]
    before = Entry.objects.count()
    for deed in deeds:
        with pytest.raises(NotAllowed):
            deed()
    assert Entry.objects.count() == before


def test_admins_do_nothing_but_administer(company: Company) -> None:
    """Admin implies no other role, approver least of all."""
    tom = Person.objects.get(username="tom")
    job = Job.objects.filter(state="awaiting_approval").first()
    assert job is not None
    assert job.plan is not None
    digest = job.plan.digest

    with pytest.raises(NotAllowed):
        actions.draft_job("connect-organization", company.sales.scope, by=tom)
    with pytest.raises(NotAllowed):
        actions.approve_job(job, by=tom, digest=digest)


def test_a_certificate_of_another_deployment_is_not_to_be_had(
    company: Company, mira: Person
) -> None:
    job = actions.draft_job("connect-organization", company.sales.scope, by=mira)

    with pytest.raises(BadInput, match="not one of this deployment"):
        actions.change_inputs(job, by=mira, certificate=4711)
