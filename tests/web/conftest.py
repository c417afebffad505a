from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from portal.access.models import Person, Role, Scope
from portal.jobs import actions
from portal.jobs.models import Job
from tests.conftest import make_person
from tests.web.paper import carry_out_checks

BACKEND = "portal.access.backends.BreakGlass"
As = Callable[[Person], Client]


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


@pytest.fixture
def as_() -> As:
    """Give a browser in which this person is signed in."""

    def client(person: Person) -> Client:
        browser = Client()
        browser.force_login(person, backend=BACKEND)
        return browser

    return client


@pytest.fixture
def lena(database_url: str) -> Person:
    """Approves everywhere."""
    return make_person("lena", Role.APPROVER)


@pytest.fixture
def vera(database_url: str, scope: Scope) -> Person:
    """Only looks."""
    return make_person("vera", Role.VIEWER, scope)


@pytest.fixture
def ana(database_url: str) -> Person:
    """Audits everywhere."""
    return make_person("ana", Role.AUDITOR)


@pytest.fixture
def outsider(database_url: str) -> Person:
    """Requests and approves in another organization."""
    other = Scope.objects.create(kind="organization", slug="other", title="Other")
    person = make_person("outsider", Role.REQUESTER, other)
    person.grants.create(role=Role.APPROVER, scope=other, source="portal")
    return person


Draft = Callable[..., Job]


@pytest.fixture
def draft(scope: Scope, mira: Person) -> Draft:
    """Make a job of Mira's whose checks have run: with a plan, unless the paper is wet."""

    def make(**inputs: Any) -> Job:
        job = actions.draft_job("paper", scope, by=mira, inputs={"colour": "red"} | inputs)
        return carry_out_checks(actions.ask_for_checks(job, by=mira))

    return make


@pytest.fixture
def waiting(draft: Draft, mira: Person) -> Job:
    """A job of Mira's that waits for a decision."""
    return actions.send_for_approval(draft(), by=mira, reason="The red hurts.", ticket="CHG-1")


@pytest.fixture
def approved(waiting: Job, jonas: Person) -> Job:
    """A job of Mira's that Jonas approved."""
    assert waiting.plan is not None
    actions.approve_job(waiting, by=jonas, digest=waiting.plan.digest, proof="7e42")
    return Job.objects.select_related("plan", "scope").get(pk=waiting.pk)
