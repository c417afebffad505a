from __future__ import annotations

from typing import Any

import pytest

from portal.access.models import Person
from portal.jobs.models import CheckResult, Job, failure_of
from portal.jobs.states import JobState
from sync_setup.models import RecordedAnswer
from tests.web_setup.conftest import As
from tests.web_setup.world import plan, put

OPTIONS = {"pilot": "pilot@contoso.example", "profile_name": "Exchange Online (Hybrid)"}
ANSWERS = {
    "ews-allow-list-answer": "yes",
    "ews-allow-list-remark": "Nadia Kowalski looked today",
    "exchange-support-switch-answer": "yes",
    "other-consumers-answer": "none",
}


def url(job: Job) -> str:
    return f"/jobs/{job.name}/preflight/"


def checks(job: Job, **verdicts: str) -> None:
    for position, (key, verdict) in enumerate(verdicts.items(), 1):
        CheckResult.objects.create(
            job=job,
            position=position,
            key=key,
            group="Group",
            title=f"Check {key}",
            verdict=verdict,
            finding=f"Finding of {key}.",
            fix="Do this.\nThen that.",
        )


def test_one_press_records_the_answers_keeps_the_options_and_starts_the_checks(
    inspected: Job, mira: Person, as_: As
) -> None:
    answer = as_(mira).post(url(inspected), OPTIONS | ANSWERS)

    inspected.refresh_from_db()
    assert inspected.state == JobState.CHECKING
    assert inspected.inputs["pilot"] == "pilot@contoso.example"
    assert answer.headers["Location"] == url(inspected) + "?run=1"
    kept = {row.question: row for row in RecordedAnswer.objects.all()}
    assert {key: row.answer for key, row in kept.items()} == {
        "ews-allow-list": "yes",
        "exchange-support-switch": "yes",
        "other-consumers": "none",
    }
    assert kept["ews-allow-list"].remark == "Nadia Kowalski looked today"
    assert kept["ews-allow-list"].person == mira


def test_questions_that_are_left_alone_stay_open(inspected: Job, mira: Person, as_: As) -> None:
    as_(mira).post(url(inspected), OPTIONS)

    inspected.refresh_from_db()
    assert inspected.state == JobState.CHECKING
    assert not RecordedAnswer.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pilot": ""}, "Name the pilot mailbox"),
        ({"profile_name": ""}, "required"),
        ({"profile_name": "x" * 101}, "at most 100"),
        ({"profile_name": "two\nlines"}, "1 to 100 printable characters"),
        ({"ews-allow-list-answer": "maybe"}, "Choose one of the answers."),
        ({"ews-allow-list-answer": "", "ews-allow-list-remark": "x"}, "the remark is about"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_else_is_lost(
    inspected: Job, mira: Person, as_: As, wrong: dict[str, str], words: str
) -> None:
    sent = OPTIONS | ANSWERS | {"profile_owner": "ada@contoso.example"} | wrong

    answer = as_(mira).post(url(inspected), sent)

    page = answer.content.decode()
    inspected.refresh_from_db()
    assert answer.status_code == 422
    assert words in page
    assert "<title>Error: " in page
    assert 'value="ada@contoso.example"' in page
    assert inspected.state == JobState.DRAFT
    assert not RecordedAnswer.objects.exists()


def test_options_can_be_saved_without_running_anything(
    inspected: Job, mira: Person, as_: As
) -> None:
    answer = as_(mira).post(url(inspected), OPTIONS | {"save": "1", "set_defaults": "on"})

    inspected.refresh_from_db()
    assert answer.headers["Location"] == "/organizations/contososales/"
    assert inspected.state == JobState.DRAFT
    assert inspected.inputs["set_defaults"] is True


def test_saving_what_is_there_already_keeps_the_plan(inspected: Job, mira: Person, as_: As) -> None:
    browser, sent = as_(mira), OPTIONS | {"save": "1"}
    browser.post(url(inspected), sent)
    made = plan(inspected, ("set-token-issuer", True))

    browser.post(url(inspected), sent)

    inspected.refresh_from_db()
    assert inspected.plan == made


def test_an_answer_that_is_there_is_shown_with_who_and_when(
    inspected: Job, mira: Person, as_: As
) -> None:
    browser = as_(mira)
    browser.post(url(inspected), OPTIONS | ANSWERS)
    put(inspected, JobState.DRAFT)

    page = browser.get(url(inspected)).content.decode()

    assert "“Yes, both”" in page
    assert "Nadia Kowalski looked today" in page
    assert "Record a new answer" in page
    assert "An Exchange administrator" not in page


def test_while_the_checks_run_the_page_looks_again_by_itself_also_without_javascript(
    inspected: Job, mira: Person, as_: As
) -> None:
    put(inspected, JobState.CHECKING, note="Check 2 of 45: servers")
    browser = as_(mira)

    assert browser.get(url(inspected)).headers["Location"] == url(inspected) + "?run=1"
    page = browser.get(url(inspected) + "?run=1").content.decode()

    assert "Check 2 of 45: servers" in page
    assert f"/jobs/{inspected.name}/live/" in page
    assert 'http-equiv="refresh"' in page


def test_once_the_checks_have_ended_the_page_goes_on_by_itself(
    inspected: Job, mira: Person, as_: As
) -> None:
    browser, running = as_(mira), url(inspected) + "?run=1"

    assert browser.get(running).headers["Location"] == url(inspected)
    plan(inspected, ("set-token-issuer", True))
    assert browser.get(running).headers["Location"] == f"/jobs/{inspected.name}/plan/"
    assert browser.get(url(inspected)).status_code == 200


def test_what_stands_in_the_way_comes_first_with_its_fix(
    inspected: Job, mira: Person, as_: As
) -> None:
    checks(inspected, fine="pass", odd="warn", wall="block", unseen="cannot_check")

    page = as_(mira).get(url(inspected)).content.decode()

    places = [page.index(f"Finding of {key}.") for key in ("wall", "unseen", "odd", "fine")]
    assert places == sorted(places)
    assert "2 checks stand in the way of a plan" in page
    assert "<li>Then that.</li>" in page
    assert "Check again" in page


def test_when_only_answers_are_missing_the_page_says_so(
    inspected: Job, mira: Person, as_: As
) -> None:
    checks(inspected, asked="to_record", odd="warn")

    page = as_(mira).get(url(inspected)).content.decode()

    assert "Only 1 answer of people is missing" in page


def test_a_plan_that_could_not_be_made_says_why(inspected: Job, mira: Person, as_: As) -> None:
    failure: dict[str, Any] = failure_of(
        "The pilot mailbox has gone.", code="SSS-PLAN", fix="Choose another."
    )
    put(inspected, JobState.DRAFT, failure=failure)

    page = as_(mira).get(url(inspected)).content.decode()

    assert "The pilot mailbox has gone." in page
    assert "Choose another." in page


def test_checks_do_not_start_without_a_certificate(draft: Job, mira: Person, as_: As) -> None:
    answer = as_(mira).post(url(draft), OPTIONS | ANSWERS)

    draft.refresh_from_db()
    assert answer.headers["Location"] == f"/jobs/{draft.name}/certificate/"
    assert draft.state == JobState.DRAFT
