from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.access.models import Person
from portal.jobs.models import Job
from tests.web_setup.conftest import As, certificate_of
from tests.web_setup.world import Company, link, plan, read


def test_the_overview_shows_organizations_the_end_of_ews_and_where_to_begin(
    company: Company, mira: Person, vera: Person, as_: As
) -> None:
    read(company.sales)

    page = as_(mira).get("/").content.decode()

    assert "ContosoSales" in page
    assert "Exchange Online turns off EWS on 1 April 2027" in page
    assert "EWS ends in" in page
    assert 'href="/jobs/new/"' in page
    assert 'href="/jobs/new/"' not in as_(vera).get("/").content.decode()


def test_what_ends_soon_needs_whoever_can_ask_for_its_renewal(
    company: Company, mira: Person, vera: Person, as_: As
) -> None:
    until = (timezone.now() + timedelta(days=9)).date().isoformat()
    ends = link("certificate", "ends_soon", "On CRM-APP01", until=until)
    read(company.sales, links={"certificate": ends})

    page = as_(mira).get("/").content.decode()

    assert "ContosoSales: certificate: Ends in 9 days" in page
    assert "Ends in 9 days" not in as_(vera).get("/").content.decode()


def test_what_an_open_job_renews_needs_nobody(
    company: Company, mira: Person, draft: Job, as_: As
) -> None:
    until = (timezone.now() + timedelta(days=9)).date().isoformat()
    ends = link("certificate", "ends_soon", "On CRM-APP01", until=until)
    read(company.sales, links={"certificate": ends})
    plan(draft, ("install-token-certificate", True))
    Job.objects.update(state="awaiting_approval")

    assert "ContosoSales: certificate" not in as_(mira).get("/").content.decode()


def test_the_approver_reads_the_new_certificate_beside_the_plan(
    inspected: Job, jonas: Person, as_: As
) -> None:
    plan(inspected, ("set-token-issuer", True), uploader=inspected.requester)
    Job.objects.update(state="awaiting_approval")

    page = as_(jonas).get(f"/jobs/{inspected.name}/review/").content.decode()

    certificate = certificate_of(inspected)
    assert certificate.thumbprint in page
    assert "Uploaded PFX file" in page


def test_the_ews_page_tells_every_date_with_its_source_and_each_organizations_answer(
    company: Company, vera: Person, outsider: Person, as_: As
) -> None:
    page = as_(vera).get("/ews/").content.decode()

    for date in ("1 October 2025", "25 May 2026", "1 October 2026", "1 April 2027"):
        assert date in page
    assert "https://learn.microsoft.com/" in page
    assert "ContosoSales" in page
    assert "ContosoSales" not in as_(outsider).get("/ews/").content.decode()
