from __future__ import annotations

import re
import time

from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.states import JobState, StepState
from tests.web.conftest import As, Draft
from tests.web.paper import carry_out_checks
from tests.web.test_job_pages import put, say

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/jobs/J-1/?x=1"}


def poll(text: str) -> str:
    """Give the address that the page, or the last answer, asks next; empty when it asks no more."""
    found = re.search(r'<div id="live" data-polls hx-get="([^"]+)"', text)
    return found.group(1).replace("&amp;", "&") if found else ""


def lines(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li id="L(\d+)"', text)]


def running(job: Job) -> Job:
    job.steps.filter(position=1).update(state=StepState.RUNNING, started_at=Now())
    return put(job, JobState.RUNNING, started_at=Now())


def test_lines_come_once_each_without_a_gap(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    say(job, "one", "two")
    text = browser.get(reverse("jobs:job", args=[job.number])).text
    seen = lines(text)

    for count in (0, 3, 1, 700):
        say(job, *["more"] * count)
        text = browser.get(poll(text), headers=HTMX).text
        seen += lines(text)
    while lines(text):
        text = browser.get(poll(text), headers=HTMX).text
        seen += lines(text)

    assert seen == list(range(1, 707))


def test_only_what_changed_is_swapped(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    first = browser.get(reverse("jobs:job", args=[job.number])).text

    same = browser.get(poll(first), headers=HTMX).text
    approved.steps.filter(position=1).update(state=StepState.DONE, ended_at=Now())
    news = browser.get(poll(same), headers=HTMX).text

    assert 'id="job-progress"' in same
    assert 'id="job-steps"' not in same
    assert 'id="job-steps" aria-labelledby="steps-title" hx-swap-oob="true"' in news
    assert f"<title>{job.name} Running, 1 of 2" in news


def test_a_finished_job_asks_no_more(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    first = browser.get(reverse("jobs:job", args=[job.number])).text

    put(job, JobState.FAILED, ended_at=Now(), failure={"message": "It broke.", "code": "SSS-X"})
    last = browser.get(poll(first), headers=HTMX)

    assert poll(last.text) == ""
    assert "It broke." in last.text
    assert last["Cache-Control"] == "no-store"


def test_checks_come_in_while_they_run_and_the_page_starts_anew_when_they_end(
    draft: Draft, mira: Person, as_: As
) -> None:
    browser = as_(mira)
    job = actions.ask_for_checks(draft(wet=True), by=mira)
    first = browser.get(reverse("jobs:job", args=[job.number])).text
    assert "of=checks" in poll(first)

    assert "is wet" not in browser.get(poll(first), headers=HTMX).text
    job.checks.filter(key="is-dry").update(finding="It is soaked.", checked_at=Now())
    assert "It is soaked." in browser.get(poll(first), headers=HTMX).text
    carry_out_checks(job)
    assert browser.get(poll(first), headers=HTMX)["HX-Refresh"] == "true"


def test_whoever_was_signed_out_meanwhile_is_told_and_the_polling_ends(approved: Job) -> None:
    job = running(approved)

    answer = Client().get(reverse("jobs:live", args=[job.number]), headers=HTMX)

    assert answer.status_code == 401
    assert "The job goes on without you." in answer.text
    assert "/sign-in/?next=%2Fjobs%2FJ-1%2F%3Fx%3D1" in answer.text
    assert "hx-get" not in answer.text


def test_an_error_comes_as_a_notice(outsider: Person, approved: Job, as_: As) -> None:
    answer = as_(outsider).get(reverse("jobs:live", args=[approved.number]), headers=HTMX)

    assert answer.status_code == 404
    assert answer.text.startswith('<div id="notice">')
    assert "<html" not in answer.text


def test_polling_is_no_use_of_the_session(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    session = browser.session
    session["begun_at"] = session["seen_at"] = 1
    session.save()

    for address in (reverse("jobs:live", args=[job.number]), reverse("overview-running")):
        assert browser.get(address, headers=HTMX).status_code == 401


def test_neither_does_it_keep_the_session_alive(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    session = browser.session
    session["seen_at"] = int(time.time()) - 100
    session.save()

    for address in (reverse("jobs:live", args=[job.number]), reverse("overview-running")):
        browser.get(address, headers=HTMX)
        assert browser.session["seen_at"] == session["seen_at"]
    browser.get(reverse("overview"))
    assert browser.session["seen_at"] > session["seen_at"]


def test_what_a_fragment_swaps_has_its_place_in_every_page_it_may_reach(
    approved: Job, mira: Person, as_: As
) -> None:
    browser = as_(mira)
    page = browser.get(reverse("jobs:job", args=[approved.number])).text
    asks = poll(page)

    job = running(approved)
    say(job, "one")
    for state in (JobState.RUNNING, JobState.NEEDS_PERSON, JobState.FAILED, JobState.SUCCEEDED):
        put(job, state, note="now", failure={"message": "x"})
        fragment = browser.get(asks, headers=HTMX).text
        swapped = re.findall(r'id="([\w-]+)"[^>]*hx-swap-oob="true"', fragment)
        swapped += re.findall(r'hx-swap-oob="beforeend:#([\w-]+)"', fragment)

        assert len(swapped) >= 6
        assert [name for name in swapped if f'id="{name}"' not in page] == []


def test_odd_cursors_are_read_as_none(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    say(job, "one")

    for odd in ("", "-1", "x", "9" * 40, "\u0661"):
        answer = browser.get(reverse("jobs:live", args=[job.number]), {"after": odd}, headers=HTMX)
        assert lines(answer.text) == [1]


def test_what_somebody_types_about_an_unknown_outcome_is_never_swapped_away(
    approved: Job, mira: Person, as_: As
) -> None:
    browser, job = as_(mira), running(approved)
    first = browser.get(reverse("jobs:job", args=[job.number])).text

    put(job, JobState.OUTCOME_UNKNOWN, failure={"message": "Lost.", "code": "SSS-X"})
    came = browser.get(poll(first), headers=HTMX).text
    put(job, JobState.OUTCOME_UNKNOWN, note="Looked again.")
    stays = browser.get(poll(came), headers=HTMX).text
    put(job, JobState.FAILED, ended_at=Now())
    goes = browser.get(poll(stays), headers=HTMX).text

    assert 'id="job-settle" hx-swap-oob="true"' in came
    assert "Record what you found" in came
    assert 'id="job-outcome"' in stays
    assert 'id="job-settle"' not in stays
    assert 'id="job-settle" hx-swap-oob="true"' in goes
    assert "Record what you found" not in goes


def test_the_counts_of_the_navigation_follow_the_job(approved: Job, mira: Person, as_: As) -> None:
    browser, job = as_(mira), running(approved)
    count = '<span class="count blue">1<span class="vh"> running</span></span>'
    first = browser.get(reverse("jobs:job", args=[job.number])).text

    same = browser.get(poll(first), headers=HTMX).text
    parts = browser.get(reverse("overview-running"), headers=HTMX).text
    put(job, JobState.FAILED, ended_at=Now(), failure={"message": "x", "code": "SSS-X"})
    last = browser.get(poll(same), headers=HTMX).text

    assert first.count(count) == 2  # at the side, and in the menu of small screens
    place = 'data-counts="job" hx-swap-oob="outerHTML:[data-counts=job]"'
    for told in (same, parts):
        assert f"{place}>{count}" in told
    assert f"{place}></span>" in last
