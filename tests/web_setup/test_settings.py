from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from portal.access.models import Person
from portal.jobs.models import Job
from portal.jobs.states import JobState
from sync_setup.models import CrmServer, EntraTenant, Organization
from tests.web_setup.conftest import As
from tests.web_setup.world import Company, Samples, put, write_clouds

CANARY = "Canary-secret-77"
OTHER_APP = "0c9e1f52-7a34-4b6d-8f10-5e2d3c4b6a79"
TENANT_ID = "6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21"
PAGES = (
    *("/settings/", "/settings/tenants/new/", "/settings/deployments/new/"),
    *("/settings/organizations/new/", "/settings/deployments/contoso-crm/"),
)


def rows(*servers: dict[str, Any]) -> dict[str, Any]:
    """Server rows of the registration form, as a browser sends them."""
    sent: dict[str, Any] = {"servers-TOTAL_FORMS": len(servers), "servers-INITIAL_FORMS": 0}
    for number, server in enumerate(servers):
        sent |= {f"servers-{number}-{name}": value for name, value in server.items()}
    return sent


TOOLS = {"name": "CRM-APP01", "host": "localhost", "port": 5986, "tools": "on"}
OTHER = {"name": "CRM-APP02", "host": "localhost", "port": 5987}
DEPLOYMENT = {"name": "Fabrikam CRM", "web_api_url": "https://localhost:7443"}


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_for_admins_and_others_are_told_so(
    company: Company, tom: Person, mira: Person, as_: As, page: str
) -> None:
    assert as_(tom).get(page).status_code == 200
    refused = as_(mira).get(page)
    assert refused.status_code == 403
    assert "This needs the role Admin" in refused.content.decode()


def test_only_admins_see_settings_in_the_navigation(
    company: Company, tom: Person, mira: Person, as_: As
) -> None:
    assert 'href="/settings/"' in as_(tom).get("/").content.decode()
    assert 'href="/settings/"' not in as_(mira).get("/").content.decode()


@pytest.mark.parametrize(
    "path",
    [
        *("tenants/new/", "tenants/1/", "deployments/new/", "deployments/contoso-crm/"),
        *("deployments/contoso-crm/servers/", "organizations/new/"),
    ],
)
def test_nobody_but_an_admin_changes_a_connection(
    company: Company, mira: Person, as_: As, path: str
) -> None:
    before = (EntraTenant.objects.count(), CrmServer.objects.count(), Organization.objects.count())

    assert as_(mira).post(f"/settings/{path}", {}).status_code == 403

    after = (EntraTenant.objects.count(), CrmServer.objects.count(), Organization.objects.count())
    assert after == before


def test_a_tenant_is_registered_in_any_spelling_of_its_id(
    database_url: str, tom: Person, as_: As
) -> None:
    write_clouds()
    sent = {"name": "Contoso", "tenant_id": f"{{{TENANT_ID.upper()}}}", "cloud": "simulated"}

    answer = as_(tom).post("/settings/tenants/new/", sent)

    tenant = EntraTenant.objects.get()
    assert str(tenant.tenant_id) == TENANT_ID
    assert answer.headers["Location"] == f"/settings/tenants/{tenant.pk}/"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tenant_id": "contoso.example"}, "This is not an id."),
        ({"name": ""}, "required"),
        ({"cloud": "moon"}, "Select a valid choice"),
        ({"cloud": "global"}, "database is for rehearsal; this target is not"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused_with_what_was_typed(
    database_url: str, tom: Person, as_: As, wrong: dict[str, str], words: str
) -> None:
    write_clouds()
    sent = {"name": "Contoso", "tenant_id": TENANT_ID, "cloud": "simulated"} | wrong

    answer = as_(tom).post("/settings/tenants/new/", sent)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not EntraTenant.objects.exists()


def test_a_secret_of_the_setup_app_is_sealed_and_never_shown_again(
    company: Company, tom: Person, as_: As
) -> None:
    page = f"/settings/tenants/{company.tenant.pk}/"
    sent = {"client_id": TENANT_ID, "access": "secret", "secret": CANARY, "keeps": "on"}
    browser = as_(tom)

    browser.post(page, sent)

    company.tenant.refresh_from_db()
    shown = browser.get(page).content.decode()
    assert company.tenant.credential is not None
    assert company.tenant.keeps_access
    assert CANARY not in shown
    assert "never used" in shown
    company.tenant.credential.used_at = timezone.now()
    company.tenant.credential.save()
    assert "last used" in browser.get(page).content.decode()


def test_the_setup_app_may_prove_itself_by_a_certificate(
    company: Company, tom: Person, as_: As, samples: Samples
) -> None:
    issued = samples.issued("setup-app", 90)
    pem = SimpleUploadedFile("app.pem", issued.certificate_pem + issued.key_pem)
    sent = {"client_id": TENANT_ID, "access": "certificate", "pem": pem}

    answer = as_(tom).post(f"/settings/tenants/{company.tenant.pk}/", sent)

    company.tenant.refresh_from_db()
    assert answer.status_code == 302
    assert company.tenant.access == EntraTenant.Access.CERTIFICATE
    assert company.tenant.credential is not None


def test_an_empty_secret_keeps_the_one_of_the_same_app(
    company: Company, tom: Person, as_: As
) -> None:
    page = f"/settings/tenants/{company.tenant.pk}/"
    sent = {"client_id": TENANT_ID, "access": "secret", "secret": CANARY}
    browser, kept = as_(tom), "Empty: the one that is set stays."
    assert kept not in browser.get(page).content.decode()
    browser.post(page, sent)
    company.tenant.refresh_from_db()
    first = company.tenant.credential

    changed = browser.post(page, sent | {"secret": "", "keeps": "on"})
    other_app = browser.post(page, sent | {"secret": "", "client_id": OTHER_APP})
    other_way = browser.post(page, sent | {"secret": "", "access": "certificate"})

    company.tenant.refresh_from_db()
    assert kept in browser.get(page).content.decode()
    assert changed.status_code == 302
    assert company.tenant.keeps_access
    assert company.tenant.credential == first
    assert (other_app.status_code, other_way.status_code) == (422, 422)
    assert str(company.tenant.client_id) == TENANT_ID


def test_who_administers_one_organization_sees_no_settings_in_the_navigation(
    company: Company, tom: Person, vera: Person, as_: As
) -> None:
    vera.grants.create(role="admin", scope=company.sales.scope, source="portal")

    theirs, everywhere = (as_(person).get("/").content.decode() for person in (vera, tom))

    assert 'href="/settings/"' in everywhere
    assert 'href="/settings/"' not in theirs
    assert 'href="/organizations/"' in theirs


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"secret": ""}, "Give the app&#x27;s secret or certificate."),
        ({"client_id": "the app"}, "This is not an id."),
        ({"access": "certificate"}, "Give the app&#x27;s secret or certificate."),
        ({"access": "certificate", "pem": b"no PEM"}, "must be PEM text"),
        ({"access": "certificate", "pem": b"\xff\xfe\x00"}, "This is not PEM text."),
    ],
)
def test_an_access_that_cannot_work_is_refused_without_showing_a_secret(
    company: Company, tom: Person, as_: As, wrong: dict[str, Any], words: str
) -> None:
    sent: dict[str, Any] = {"client_id": TENANT_ID, "access": "secret", "secret": CANARY} | wrong
    if isinstance(sent.get("pem"), bytes):
        sent["pem"] = SimpleUploadedFile("x.pem", sent["pem"])

    answer = as_(tom).post(f"/settings/tenants/{company.tenant.pk}/", sent)

    page = answer.content.decode()
    company.tenant.refresh_from_db()
    assert answer.status_code == 422
    assert words in page
    assert CANARY not in page
    assert company.tenant.credential is None


@pytest.mark.parametrize(
    "name",
    ["Contoso Sales", "Contoso'Sales", "Sales\n", "$(Get-Item)", "Sales' or 1 eq 1", "", "ü"],
)
def test_a_unique_name_that_dynamics_could_not_have_is_refused(
    company: Company, tom: Person, as_: As, name: str
) -> None:
    sent = {
        "deployment": company.deployment.pk,
        "tenant": company.tenant.pk,
        "unique_name": name,
        "environment": "test",
    }

    answer = as_(tom).post("/settings/organizations/new/", sent)

    assert answer.status_code == 422
    assert Organization.objects.count() == 2


def test_an_organization_is_registered_in_exactly_the_spelling_given(
    company: Company, tom: Person, as_: As
) -> None:
    sent = {
        "deployment": company.deployment.pk,
        "tenant": company.tenant.pk,
        "unique_name": "contosoSALES",
        "environment": "test",
    }

    answer = as_(tom).post("/settings/organizations/new/", sent)

    made = Organization.objects.get(unique_name="contosoSALES")
    assert answer.headers["Location"] == f"/organizations/{made.scope.slug}/"
    assert made.scope.slug != company.sales.scope.slug


def test_an_organization_needs_its_tenant_and_deployment_first(
    database_url: str, tom: Person, as_: As
) -> None:
    page = as_(tom).get("/settings/organizations/new/").content.decode()

    assert "Register its tenant and its deployment first" in page


def test_the_newest_connection_test_stands_beside_each_organization(
    company: Company, tom: Person, as_: As
) -> None:
    browser = as_(tom)
    assert "was never tested" in browser.get("/settings/").content.decode()
    browser.post("/organizations/contososales/test/")
    job = Job.objects.get()
    assert "tests the connection now" in browser.get("/settings/").content.decode()

    door = {"name": "Dynamics", "works": True, "text": "", "fix": "", "seconds": 0.1}
    put(job, JobState.SUCCEEDED, ended_at=timezone.now(), inputs=job.inputs | {"doors": [door]})
    assert "Every door opens" in browser.get("/settings/").content.decode()
    browser.post("/organizations/contososales/test/")
    job = Job.objects.latest("number")
    doors = [door | {"works": False}]
    put(job, JobState.SUCCEEDED, ended_at=timezone.now(), inputs=job.inputs | {"doors": doors})
    assert (
        "Not every door opens" in browser.get("/settings/deployments/contoso-crm/").content.decode()
    )


@pytest.mark.parametrize("page", ["/settings/tenants/99/", "/settings/deployments/nowhere/"])
def test_a_connection_that_is_not_there_is_said(tom: Person, as_: As, page: str) -> None:
    assert as_(tom).get(page).status_code == 404
