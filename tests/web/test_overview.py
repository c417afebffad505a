from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path, reverse
from django.utils import timezone

from portal import pages
from portal.access.models import Person, Role, Scope
from portal.access.views import _enter
from portal.jobs.models import Job
from portal.jobs.states import JobState
from tests.web.conftest import As, Draft
from tests.web.test_job_pages import put


def page(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse(slug)


urlpatterns = [
    path("<slug:slug>/things/", page, name="things"),
    path("<slug:slug>/facts/", page, name="facts"),
]


def overview(person: Person, as_: As) -> str:
    response = as_(person).get(reverse("overview"))
    assert response.status_code == 200
    return response.text


def test_an_approver_sees_first_what_waits_for_them(
    waiting: Job, mira: Person, jonas: Person, as_: As
) -> None:
    decides, asked = overview(jonas, as_), overview(mira, as_)

    assert "1 request waits for your decision." in decides
    assert f"/jobs/{waiting.name}/review/" in decides
    assert "Waiting for your decision" not in asked
    assert "Your requests, waiting for others" in asked
    assert "Jonas can approve" in asked


def test_what_failed_needs_its_requester_until_a_younger_job_takes_its_place(
    approved: Job, draft: Draft, mira: Person, jonas: Person, as_: As
) -> None:
    put(approved, JobState.FAILED, ended_at=Now(), failure={"message": "It broke."})

    assert f"{approved.name} failed: It broke." in overview(mira, as_)
    assert "It broke." not in overview(jonas, as_)
    draft()
    assert "It broke." not in overview(mira, as_)


def test_what_failed_long_ago_is_history(approved: Job, mira: Person, as_: As) -> None:
    put(
        approved,
        JobState.FAILED,
        ended_at=timezone.now() - timedelta(days=20),
        failure={"message": "It broke."},
    )

    assert "It broke." not in overview(mira, as_)


def test_what_stopped_needs_whoever_may_let_it_go_on(
    approved: Job, mira: Person, jonas: Person, vera: Person, as_: As
) -> None:
    put(approved, JobState.NEEDS_PERSON, note="Open the door.\nClose it.", started_at=Now())

    for person in (mira, jonas):
        assert f"{approved.name} needs a person: Open the door." in overview(person, as_)
    assert "Open the door." not in overview(vera, as_).split('id="running"')[0]


def test_running_jobs_look_again_by_themselves(approved: Job, vera: Person, as_: As) -> None:
    put(approved, JobState.RUNNING, started_at=Now())
    browser = as_(vera)

    page = browser.get(reverse("overview")).text
    part = browser.get(reverse("overview-running"), headers={"HX-Request": "true"})
    put(approved, JobState.SUCCEEDED, ended_at=Now())
    later = browser.get(reverse("overview-running"), headers={"HX-Request": "true"}).text

    assert 'hx-get="/running/" hx-trigger="every 5s"' in page
    assert part.text.strip().startswith('<section class="card" id="running"')
    assert "hx-get" not in later
    assert "No job is at work." in later


def test_somebody_without_a_role_reads_where_roles_come_from(database_url: str, as_: As) -> None:
    person = Person.objects.create(username="new", name="New")

    assert "You have no role yet" in overview(person, as_)


def test_an_auditor_lands_on_the_history(ana: Person, mira: Person) -> None:
    for person, target in ((ana, "/history/"), (mira, "/")):
        request = RequestFactory().post("/")
        request.session = SessionStore()

        assert _enter(request, person)["Location"] == target


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this test registries of its own."""
    for name in (
        "_navigation",
        "_deadlines",
        "_overview_panels",
        "_job_panels",
        "_needs",
        "_beginnings",
        "_tabs",
    ):
        monkeypatch.setattr(pages, name, list(getattr(pages, name)))


def test_apps_fill_the_overview(
    registry: None, mira: Person, vera: Person, scope: Scope, as_: As
) -> None:
    def content(person: Person) -> Mapping[str, Any] | None:
        return {"noun": f"things of {person}", "page": {"rows": []}} if person == mira else None

    def needs(person: Person) -> Iterator[pages.Need]:
        yield pages.Need("amber", "cert", "A certificate ends", "/x/", "in 9 days", "See it")

    pages.add_overview_panel(1, pages.Panel("_tabs.html", lambda person: content(person)))
    pages.add_needs(needs)
    pages.add_beginning(pages.Beginning("jobs:list", "plus", "New setup", (Role.REQUESTER,)))

    asks, looks = overview(mira, as_), overview(vera, as_)

    assert 'class="tabs"' in asks
    assert 'class="tabs"' not in looks
    assert "A certificate ends" in asks
    assert "New setup" in asks
    assert "New setup" not in looks


def test_a_deadline_stands_on_every_page_until_it_has_passed(
    registry: None, mira: Person, as_: As
) -> None:
    today = timezone.localdate()
    pages.add_deadline(pages.Deadline("EWS ends", today + timedelta(days=129), "audit:list"))
    pages.add_deadline(pages.Deadline("Long gone", today - timedelta(days=1), "audit:list"))

    text = overview(mira, as_)

    assert "EWS ends in 129 days" in text
    assert "Long gone" not in text


@pytest.mark.urls(__name__)
def test_pages_about_a_scope_have_tabs(
    registry: None, monkeypatch: pytest.MonkeyPatch, scope: Scope
) -> None:
    monkeypatch.setattr(pages, "_tabs", [])
    pages.add_tab(20, pages.Tab("things", "Things", lambda scope: 4))
    pages.add_tab(10, pages.Tab("facts", "Facts"))

    assert [(url, tab.title, count) for url, tab, count in pages.tabs_of(scope)] == [
        ("/contoso/facts/", "Facts", None),
        ("/contoso/things/", "Things", 4),
    ]


def test_navigation_marks_where_one_is_and_counts_what_waits(
    waiting: Job, jonas: Person, as_: As
) -> None:
    text = as_(jonas).get(reverse("jobs:review", args=[waiting.number])).text

    here = re.findall(r'aria-current="page"><svg.*?</svg>(\w+)', text)
    assert here == ["Approvals", "Approvals"]  # at the side, and in the menu of small screens
    assert '<span class="count purple">1<span class="vh"> waiting</span></span>' in text
