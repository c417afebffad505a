from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.access.models import Person
from portal.jobs.models import Job
from portal.jobs.states import JobState
from sync_setup.actions import register_organization
from tests.web_setup.conftest import As
from tests.web_setup.world import Company, Samples, kept, link, plan, put, read, stored

PAGES = ("", "profiles/", "certificates/", "answers/", "jobs/", "history/", "profiles/new/")


def url(company: Company, page: str = "") -> str:
    return f"/organizations/{company.sales.scope.slug}/{page}"


@pytest.mark.parametrize("page", PAGES)
def test_who_may_only_look_sees_every_page_of_an_organization(
    company: Company, vera: Person, as_: As, page: str
) -> None:
    read(company.sales)

    answer = as_(vera).get(url(company, page))

    assert answer.status_code == 200
    assert "ContosoSales" in answer.content.decode()


def test_the_list_holds_what_a_person_answers_for_alone(
    company: Company, vera: Person, mira: Person, outsider: Person, as_: As
) -> None:
    one = as_(vera).get("/organizations/").content.decode()
    all_of_them = as_(mira).get("/organizations/").content.decode()
    none = as_(outsider).get("/organizations/").content.decode()

    assert "ContosoSales" in one
    assert "ContosoService" not in one
    assert "ContosoService" in all_of_them
    assert "Contoso" not in none
    assert "No organization yet" in none


def test_no_page_that_is_read_asks_anybody_anything(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)

    for page in PAGES:
        browser.get(url(company, page))
    browser.get("/ews/")
    browser.get("/")
    browser.get("/jobs/new/")

    assert not Job.objects.exists()


def test_every_link_of_the_chain_stands_on_the_page_with_its_state(
    company: Company, mira: Person, as_: As, samples: Samples
) -> None:
    ends = timezone.now().date() + timedelta(days=12)
    issued = samples.issued("crm.contoso.example", 12)
    read(
        company.sales,
        links={
            "certificate": link("certificate", "ends_soon", "On CRM-APP01", until=ends.isoformat()),
            "readers": link("readers", "failing", "Cannot read: CONTOSO\\svc on CRM-APP02."),
            "tenant-id": link("tenant-id", "to_do", "It is not set."),
            "entra-key": link("entra-key", "cannot_check", "Not asked (SSS-X)"),
        },
        certificates=[stored(issued, is_issuer=True)],
    )

    page = as_(mira).get(url(company)).content.decode()

    for words in ("Ends in 12 days", "Failing", "To do", "Cannot check", "Not asked (SSS-X)"):
        assert words in page
    assert "6 of 10" in page
    assert "read" in page
    assert "4 min ago" in page
    assert issued.thumbprint_sha1 in page
    assert "9.1.31.21" in page


def test_texts_of_the_outside_are_text_on_the_page(company: Company, mira: Person, as_: As) -> None:
    evil = "<script>alert(1)</script>"
    read(company.sales, links={"profile": link("profile", text=evil, detail={evil: evil})})

    page = as_(mira).get(url(company)).content.decode()

    assert evil not in page
    assert "&lt;script&gt;" in page


def test_what_an_open_job_is_going_to_do_is_marked_with_its_name(
    company: Company, mira: Person, jonas: Person, draft: Job, as_: As
) -> None:
    read(company.sales, links={"tenant-id": link("tenant-id", "to_do", "It is not set.")})
    plan(draft, ("set-organization-tenant", True), ("set-token-issuer", False))
    put(draft, JobState.AWAITING_APPROVAL)

    page = as_(mira).get(url(company)).content.decode()

    assert page.count(f"In {draft.name}</div>") == 1
    assert f"{draft.name} awaits approval by Jonas" in page
    assert f"It will finish 1 item marked “In {draft.name}”." in page


def test_a_ready_organization_needs_nothing_next(
    company: Company, mira: Person, as_: As, samples: Samples
) -> None:
    read(company.sales)

    page = as_(mira).get(url(company)).content.decode()

    assert "Next: connect ContosoSales" in page  # no answers, no proof yet
    assert "10 of 10" in page


def test_who_may_not_ask_for_a_setup_finds_no_button_for_it(
    company: Company, vera: Person, mira: Person, as_: As
) -> None:
    read(company.sales)

    assert "New setup" not in as_(vera).get(url(company)).content.decode()
    assert "New setup" in as_(mira).get(url(company)).content.decode()


def test_the_public_part_of_a_certificate_can_be_taken_away(
    company: Company, vera: Person, outsider: Person, as_: As, samples: Samples
) -> None:
    issued = samples.issued("crm.contoso.example", 300)
    read(company.sales, certificates=[stored(issued, is_issuer=True)])
    address = url(company, f"certificates/{issued.thumbprint_sha1}.cer")

    file = as_(vera).get(address)

    assert file.content == issued.der
    assert file.headers["Content-Type"] == "application/pkix-cert"
    assert as_(outsider).get(address).status_code == 404
    assert as_(vera).get(url(company, "certificates/AB.cer")).status_code == 404


def test_certificates_stand_under_in_use_beside_it_and_past(
    company: Company, mira: Person, as_: As, samples: Samples
) -> None:
    use, other, past = (
        samples.issued(f"{n}.contoso.example", d) for n, d in (("a", 90), ("b", 40), ("c", -3))
    )
    rows = [stored(use, is_issuer=True), stored(other), stored(past)]
    read(company.sales, certificates=rows)

    page = as_(mira).get(url(company, "certificates/")).content.decode()

    places = [
        page.index(text)
        for text in ("In use", "a.contoso", "Also on", "b.contoso", "Past", "c.contoso")
    ]
    assert places == sorted(places)
    assert "PRIVATE KEY" not in page


def test_who_may_read_a_key_is_told_server_by_server(
    company: Company, mira: Person, as_: As, samples: Samples
) -> None:
    issued = samples.issued("a.contoso.example", 90)
    servers = {
        "CRM-APP01": kept(1, "CONTOSO\\svc-crmweb"),
        "CRM-APP02": kept(2, "CONTOSO\\svc-crmasync", "CONTOSO\\svc-crmweb"),
    }
    read(company.sales, certificates=[stored(issued, is_issuer=True, servers=servers)])

    page = as_(mira).get(url(company, "certificates/")).content.decode()

    assert "on CRM-APP01: KeySpec 1, key read by CONTOSO\\svc-crmweb<" in page
    assert (
        "on CRM-APP02: KeySpec 2, key read by CONTOSO\\svc-crmasync, CONTOSO\\svc-crmweb<" in page
    )


def test_a_reading_kept_before_servers_had_facts_of_their_own_is_still_shown(
    company: Company, mira: Person, as_: As, samples: Samples
) -> None:
    row = stored(samples.issued("a.contoso.example", 90), servers=["CRM-APP01"])
    read(company.sales, certificates=[row | kept(1, "CONTOSO\\svc-crmweb")])

    page = as_(mira).get(url(company, "certificates/")).content.decode()

    assert "on CRM-APP01: KeySpec 1, key read by CONTOSO\\svc-crmweb<" in page


@pytest.mark.parametrize("page", ["/organizations/", "/", "/ews/"])
def test_many_organizations_cost_no_more_questions_to_the_database_than_a_few(
    company: Company, tom: Person, mira: Person, as_: As, page: str
) -> None:
    browser = as_(mira)
    read(company.sales)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get(page)
        return len(seen)

    few = queries()
    for number in range(8):
        made = register_organization(company.deployment, company.tenant, f"Org{number}", by=tom)
        read(made)
    assert queries() == few
