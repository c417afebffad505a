"""What programs and people read of jobs and history."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.access.models import Person, Scope
from portal.jobs.models import Job, LogLine
from portal.jobs.states import JobState
from tests.command_line.conftest import Draft
from tests.command_line.running import refused, sss

JOB_KEYS = {
    *("job", "kind", "title", "organization", "state", "state_word", "is_final", "note"),
    *(
        "failure",
        "requester",
        "reason",
        "ticket",
        "window",
        "digest",
        "sending",
        "steps_done",
        "steps",
    ),
    *("made_at", "sent_at", "started_at", "ended_at"),
}


def test_show_tells_the_plan_as_a_difference(waiting: Job, mira: Person) -> None:
    ended = sss("show", "J-1", "--as", "mira")

    assert ended.code == 0
    assert waiting.plan is not None
    for words in (
        "J-1  Awaiting approval  Paint: Contoso",
        "Why: The red hurts.",
        "2 checks: 1 warning, 1 passed",
        "  Warning: The paper is white",
        f"Plan {waiting.plan.digest}",
        "4 changes: 2 add, 2 change, 0 remove",
        "   1. Write the colour  [Paper]",
        "      ~ colour: red → green",
        "      + marks: new",
        "      = 1 field as before",
        "        To undo: The old colour is written again.",
        "      + stamp: known after step 1",
        "        Cannot be undone.",
        "  Not touched: The other papers.",
    ):
        assert words in ended.out, words


def test_show_tells_programs_the_same(waiting: Job, mira: Person) -> None:
    told = sss("show", "J-1", "--as", "mira", "--json").json

    assert told.keys() == JOB_KEYS | {"checks", "plan", "decisions", "run", "log"}
    assert told["plan"]["asks_for_proof"] is True
    first, second = told["plan"]["steps"]
    assert first["changes"] == [
        {"op": "change", "field": "colour", "old": "red", "new": "green"},
        {"op": "keep", "field": "marks", "old": "old", "new": "old"},
        {"op": "add", "field": "marks", "old": None, "new": "new"},
    ]
    assert second["is_reversible"] is False
    assert {
        name: value for name, value in second["changes"][1].items() if name != "known_after"
    } == {"op": "add", "field": "stamp", "old": None, "new": None}
    assert [(row["key"], row["verdict"]) for row in told["checks"]] == [
        ("is-white", "warn"),
        ("is-dry", "pass"),
    ]
    assert [row["state"] for row in told["run"]] == ["to_do", "to_do"]


def test_the_proof_is_not_told_with_the_plan(waiting: Job, jonas: Person) -> None:
    assert "7E42" not in sss("show", "J-1", "--as", "jonas", "--json").out
    assert "7E42" not in sss("show", "J-1", "--as", "jonas").out


def test_checks_that_stop_a_plan_end_with_1(draft: Draft, mira: Person) -> None:
    draft(wet=True)

    ended = sss("checks", "J-1", "--as", "mira")

    assert ended.code == 1
    for words in ("  Blocks: The paper is dry", "It is wet.", "drops: 3", "To do: Touch it."):
        assert words in ended.out, words


def test_checks_that_pass_end_with_0(draft: Draft, mira: Person) -> None:
    draft()

    assert sss("checks", "J-1", "--as", "mira").code == 0


def test_status_lists_what_is_open(draft: Draft, waiting: Job, mira: Person) -> None:
    draft()

    ended, told = sss("status", "--as", "mira"), sss("status", "--as", "mira", "--json").json

    assert [row["job"] for row in told["jobs"]] == ["J-2", "J-1"]
    assert told["jobs"][0].keys() == JOB_KEYS
    assert ended.out.splitlines()[1].split() == ["J-1", "Awaiting", "approval", "Paint:", "Contoso"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (JobState.SUCCEEDED, 0),
        (JobState.FAILED, 1),
        (JobState.PLAN_STALE, 1),
        (JobState.OUTCOME_UNKNOWN, 1),
        (JobState.AWAITING_APPROVAL, 6),
        (JobState.NEEDS_PERSON, 6),
        (JobState.CHANGES_REQUESTED, 6),
    ],
)
def test_following_ends_where_nothing_goes_on_by_itself(
    waiting: Job, mira: Person, state: str, code: int
) -> None:
    Job.objects.update(state=state, note="What is now.")
    LogLine.objects.create(job=waiting, seq=1, text="It was said.")
    Job.objects.update(log_seq=1)

    text = sss("status", "J-1", "--follow", "--as", "mira")
    told = sss("status", "J-1", "--follow", "--as", "mira", "--json")

    assert (text.code, told.code) == (code, code)
    assert "It was said." in text.out
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [line["event"] for line in lines] == ["log", "state", "end"]
    assert lines[1] == {"event": "state", "job": "J-1", "state": state, "note": "What is now."}
    assert lines[2].keys() == JOB_KEYS | {"event", "run"}


def test_following_does_not_wait_longer_than_asked(waiting: Job, mira: Person) -> None:
    soon = timezone.now() + timedelta(hours=1)
    given = ("status", "J-1", "--follow", "--timeout", "0.1", "--as", "mira")

    Job.objects.update(state=JobState.QUEUED, run_after=soon, note="Waits for J-7.")
    queued = sss(*given)
    Job.objects.update(state=JobState.NEEDS_PERSON, note="Delete the app.")
    asked = sss(*given)

    assert (queued.code, asked.code) == (5, 6)
    assert "J-1 is kept and goes on without this command." in queued.err
    assert "Delete the app." in asked.out


def test_history_tells_who_did_what(waiting: Job, mira: Person, jonas: Person) -> None:
    text = sss("history", "J-1", "--as", "jonas")
    told = sss("history", "--event", "job.sent", "--as", "jonas", "--json").json

    assert "Mira sent the plan for approval J-1 [Contoso] (command line)" in text.out
    (entry,) = told["entries"]
    assert entry.keys() == {
        *("id", "at", "actor", "via", "event", "words", "subject", "organization"),
        *("job", "request", "detail"),
    }
    assert (entry["actor"], entry["via"], entry["job"]) == ("mira", "command", "J-1")


def test_history_keeps_to_what_one_answers_for(waiting: Job, outsider: Person) -> None:
    assert sss("history", "--as", "outsider", "--json").json == {"entries": []}


@pytest.mark.parametrize(
    ("given", "field"),
    [(("--event", "job.invented"), "event"), (("--since", "yesterday"), "since")],
)
def test_history_refuses_what_it_cannot_look_for(
    scope: Scope, mira: Person, given: tuple[str, str], field: str
) -> None:
    code, error = refused("history", *given, "--as", "mira")

    assert (code, error["field"]) == (2, field)


def test_errors_for_people_say_what_state_now_and_fix(mira: Person) -> None:
    ended = sss("show", "J-99", "--as", "mira")

    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert lines[0] == "There is no job J-99 for you. (SSS-NOT-FOUND)"
    assert lines[1] == "State now: Nothing was changed."
    assert lines[2] == "To do 1: Check the number."
    assert lines[-1].startswith("Request ")
