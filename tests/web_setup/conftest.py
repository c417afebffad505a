from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from portal.access.models import Person, Role, Scope
from portal.jobs.models import Job
from sync_setup.models import TokenCertificate
from tests.conftest import make_person
from tests.environment import FOLDER
from tests.web_setup.world import Company, Samples, make_company, make_samples

BACKEND = "portal.access.backends.BreakGlass"
As = Callable[[Person], Client]


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    # Whitenoise warns about a folder that collectstatic has not made yet.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def as_() -> As:
    """Give a browser in which this person is signed in."""

    def client(person: Person) -> Client:
        browser = Client()
        browser.force_login(person, backend=BACKEND)
        return browser

    return client


@pytest.fixture(scope="session")
def samples() -> Samples:
    return make_samples(FOLDER / "samples")


@pytest.fixture
def tom(database_url: str) -> Person:
    """Administers the portal, and nothing else."""
    return make_person("tom", Role.ADMIN)


@pytest.fixture
def company(tom: Person) -> Company:
    return make_company(tom)


@pytest.fixture
def vera(company: Company) -> Person:
    """Only looks, and only at ContosoSales."""
    return make_person("vera", Role.VIEWER, company.sales.scope)


@pytest.fixture
def outsider(company: Company) -> Person:
    """Requests and approves in an organization that is none of Contoso's."""
    other = Scope.objects.create(kind="organization", slug="other", title="Other")
    person = make_person("outsider", Role.REQUESTER, other)
    person.grants.create(role=Role.APPROVER, scope=other, source="portal")
    return person


def upload(
    browser: Client, job: Job, samples: Samples, name: str, password: str | None = None
) -> int:
    """Upload one of the sample files to a draft.

    :return: the status.
    """
    with samples.files[name].open("rb") as file:
        fields = {"password": samples.password if password is None else password, "pfx": file}
        answer = browser.post(f"/jobs/J-{job.number}/certificate/", fields)
    return int(answer.status_code)


@pytest.fixture
def draft(company: Company, mira: Person, as_: As) -> Job:
    """A draft of Mira's, without a certificate."""
    as_(mira).post("/jobs/new/", {"org": company.sales.scope.slug})
    return Job.objects.select_related("scope").get()


@pytest.fixture
def inspected(draft: Job, mira: Person, as_: As, samples: Samples) -> Job:
    """A draft of Mira's with an accepted certificate."""
    good = next(name for name in samples.files if name.startswith("crm-s2s"))
    assert upload(as_(mira), draft, samples, good) == 302
    draft.refresh_from_db()
    return draft


def certificate_of(job: Job) -> TokenCertificate:
    job.refresh_from_db()
    return TokenCertificate.objects.get(pk=job.inputs["certificate"])
