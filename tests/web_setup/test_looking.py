from __future__ import annotations

import pytest
from django.utils import timezone

from portal.access.models import Person
from portal.jobs.models import Job, failure_of
from portal.jobs.states import JobState
from tests.web_setup.conftest import As
from tests.web_setup.world import Company, Samples, link, plan, put, read, settle, stored

PAGES = ("", "profiles/", "certificates/", "answers/", "jobs/", "history/", "profiles/new/")


def url(company: Company, page: str = "") -> str:
    return f"/organizations/{company.sales.scope.slug}/{page}"


@pytest.mark.parametrize("page", PAGES)
def test_an_organization_of_others_looks_like_one_that_does_not_exist(
    company: Company, outsider: Person, as_: As, page: str
) -> None:
    browser = as_(outsider)

    theirs = browser.get(url(company, page))
    nobodys = browser.get(url(company, page).replace("contososales", "nowhere"))

    assert theirs.status_code == nobodys.status_code == 404
    assert "There is no organization contososales for you." in theirs.content.decode()
    assert "There is no organization nowhere for you." in nobodys.content.decode()


def test_what_was_never_read_says_so_and_offers_to_look(
    company: Company, mira: Person, as_: As
) -> None:
    page = as_(mira).get(url(company)).content.decode()

    assert "Nobody has looked at the trust chain yet" in page
    assert "Look now" in page


def test_looking_starts_a_job_that_only_reads_and_says_so_on_the_page(
    company: Company, vera: Person, as_: As
) -> None:
    browser = as_(vera)

    answer = browser.post(url(company, "look/"), follow=True)

    job = Job.objects.get()
    assert job.kind == "read-organization"
    assert job.requester == vera
    page = answer.content.decode()
    assert f"{job.name} looks at ContosoSales" in page
    assert "look/live/" in page


def test_a_second_click_does_not_look_twice(company: Company, mira: Person, as_: As) -> None:
    browser = as_(mira)

    browser.post(url(company, "look/"))
    browser.post(url(company, "look/"))

    assert Job.objects.count() == 1


def test_a_get_starts_no_look(company: Company, mira: Person, as_: As) -> None:
    answer = as_(mira).get(url(company, "look/"))

    assert answer.status_code == 302
    assert not Job.objects.exists()


def test_a_look_goes_back_to_the_page_it_was_asked_on_and_to_no_other_site(
    company: Company, mira: Person, as_: As
) -> None:
    browser, profiles = as_(mira), url(company, "profiles/")

    inside = browser.post(url(company, "look/"), {"back": profiles})
    outside = browser.post(url(company, "look/"), {"back": "https://evil.example/"})

    assert inside.headers["Location"] == profiles
    assert outside.headers["Location"] == url(company)


def test_the_page_starts_anew_once_the_look_has_ended(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)
    browser.post(url(company, "look/"))

    meanwhile = browser.get(url(company, "look/live/"))
    put(Job.objects.get(), JobState.SUCCEEDED, ended_at=timezone.now())
    afterwards = browser.get(url(company, "look/live/"))

    assert "looks at ContosoSales" in meanwhile.content.decode()
    assert "HX-Refresh" not in meanwhile.headers
    assert afterwards.headers["HX-Refresh"] == "true"


def test_a_look_that_failed_leaves_what_was_read_and_says_why(
    company: Company, mira: Person, as_: As
) -> None:
    read(company.sales)
    browser = as_(mira)
    browser.post(url(company, "look/"))
    failure = failure_of("CRM-APP01 does not answer.", code="SSS-UNREACHABLE", fix="Open 5986.")
    put(Job.objects.get(), JobState.FAILED, ended_at=timezone.now(), failure=failure)

    page = browser.get(url(company)).content.decode()

    assert "The last look brought nothing new" in page
    assert "CRM-APP01 does not answer." in page
    assert "Open 5986." in page
    assert "It is so." in page


def test_the_page_says_when_a_job_has_changed_what_it_shows(
    company: Company, mira: Person, draft: Job, as_: As
) -> None:
    read(company.sales)
    plan(draft, ("set-token-issuer", True))
    now = timezone.now()
    put(draft, JobState.SUCCEEDED, started_at=now, ended_at=now)

    page = as_(mira).get(url(company)).content.decode()

    assert f"{draft.name} has changed ContosoSales since this was read" in page


def test_a_key_that_a_job_read_back_counts_although_nobody_may_look_now(
    company: Company, mira: Person, draft: Job, as_: As, samples: Samples
) -> None:
    issued = samples.issued("crm.contoso.example", 300)
    plan(draft, ("register-token-certificate", True))
    settle(draft, "register-token-certificate", {issued.thumbprint_sha1: "present"})
    unseen = link("entra-key", "cannot_check", "Entra ID refused the setup app.")
    read(
        company.sales,
        links={"entra-key": unseen},
        certificates=[stored(issued, is_issuer=True)],
    )

    page = as_(mira).get(url(company)).content.decode()

    assert f"read back by {draft.name}" in page
    assert "Entra ID refused the setup app." not in page


def test_testing_the_connection_shows_every_door_on_the_page_of_its_job(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)

    answer = browser.post(url(company, "test/"))

    job = Job.objects.get()
    assert job.kind == "test-connection"
    assert answer.headers["Location"] == f"/jobs/{job.name}/"
    doors = [
        {"name": "Dynamics", "works": True, "text": "signed in", "fix": "", "seconds": 0.1},
        {
            "name": "CRM server CRM-APP01",
            "works": False,
            "text": "no",
            "fix": "Knock.",
            "seconds": 2,
        },
    ]
    put(job, JobState.SUCCEEDED, ended_at=timezone.now(), inputs=job.inputs | {"doors": doors})
    page = browser.get(f"/jobs/{job.name}/").content.decode()
    assert "does not let us in" in page
    assert "Knock." in page
