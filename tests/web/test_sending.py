from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from portal.access.models import Person
from portal.jobs.claim import database_clock
from portal.jobs.models import Job
from portal.jobs.states import JobState
from tests.web.conftest import As, Draft
from tests.web.test_approving import state_of


def post(browser: Any, job: Job, **fields: str) -> Any:
    return browser.post(reverse("jobs:send", args=[job.number]), fields, follow=True)


def test_a_plan_is_sent_with_a_reason(draft: Draft, mira: Person, jonas: Person, as_: As) -> None:
    job, browser = draft(), as_(mira)
    page = browser.get(reverse("jobs:job", args=[job.number])).text
    assert "Goes to Jonas." in page

    silent = post(browser, job, reason=" ", ticket="CHG-7", when="now")
    assert silent.status_code == 422
    assert "the approver decides by it" in silent.text
    assert 'value="CHG-7"' in silent.text
    sent = post(browser, job, reason="Because.", ticket="CHG-7", when="now")

    assert f"{job.name} sent for approval." in sent.text
    assert state_of(job) == JobState.AWAITING_APPROVAL


def test_a_change_window_is_read_in_the_requesters_zone(
    draft: Draft, mira: Person, as_: As
) -> None:
    Person.objects.filter(pk=mira.pk).update(time_zone="America/New_York")
    job, browser = draft(), as_(mira)
    start = (database_clock() + timedelta(days=1)).replace(second=0, microsecond=0)
    local = start.astimezone(ZoneInfo("America/New_York"))
    window = {
        "starts_at": f"{local:%Y-%m-%dT%H:%M}",
        "ends_at": f"{local + timedelta(hours=2):%Y-%m-%dT%H:%M}",
    }

    empty = post(browser, job, reason="x", when="window")
    assert empty.status_code == 422
    assert empty.text.count("Say when.") >= 2
    backwards = post(
        browser,
        job,
        reason="x",
        when="window",
        starts_at=window["ends_at"],
        ends_at=window["starts_at"],
    )
    assert backwards.status_code == 422
    assert 'id="id_ends_at_error"' in backwards.text
    post(browser, job, reason="x", when="window", **window)

    job.refresh_from_db()
    assert job.window_starts_at == start


def test_a_draft_without_a_plan_cannot_be_sent(draft: Draft, mira: Person, as_: As) -> None:
    response = post(as_(mira), draft(wet=True), reason="x", when="now")

    assert response.status_code == 409
    assert "There is no plan to send." in response.text


def test_checks_are_asked_for_with_a_press(draft: Draft, mira: Person, as_: As) -> None:
    job = draft(wet=True)

    text = as_(mira).post(reverse("jobs:check", args=[job.number]), follow=True).text

    assert state_of(job) == JobState.CHECKING
    assert "Checks run" in text
