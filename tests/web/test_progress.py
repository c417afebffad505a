from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.jobs.models import Job, JobStep, PlanStep
from portal.jobs.progress import Usual, current, progress_of, runs_of, span, usual_of
from portal.jobs.states import JobState, StepState

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def job(state: str, **fields: Any) -> Job:
    return Job(
        **{"number": 7, "state": state, "plan_id": 1, "started_at": NOW - 9 * MINUTE} | fields
    )


def steps(*states: str) -> list[JobStep]:
    return [
        JobStep(
            position=position,
            state=state,
            planned=PlanStep(position=position, title=f"Title {position}"),
        )
        for position, state in enumerate(states, 1)
    ]


MIDWAY = ("done", "done", "running", "to_do")


def test_fewer_than_five_runs_tell_nothing() -> None:
    assert usual_of([60.0] * 4) is None
    assert progress_of(job("running"), steps(*MIDWAY), None, NOW).estimate == "no estimate yet"


def test_the_range_leaves_out_the_odd_runs() -> None:
    usual = usual_of([1.0, *[1440.0] * 9, *[1620.0] * 3, 90000.0])

    assert usual is not None
    assert usual.words == "usually 24–27 min, 14 runs"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (12, 15.4, "12–15 s"),
        (0.1, 0.2, "1 s"),
        (60, 100, "1–2 min"),
        (1500, 1500, "25 min"),
        (7200, 10800, "2–3 h"),
    ],
)
def test_a_range_is_written_in_one_unit(low: float, high: float, text: str) -> None:
    assert span(low, high) == text


def test_what_is_left_is_told_with_its_basis() -> None:
    usual = Usual(low=1440, high=1620, middle=1500, runs=14)

    assert usual.left(300).startswith("about 20 min left (usually")
    assert usual.left(1550).startswith("soon done (usually")
    assert usual.left(2000).startswith("longer than usual (usually")


@pytest.mark.parametrize(
    ("state", "rows", "sentence"),
    [
        ("running", MIDWAY, "Step 3 of 4: Title 3"),
        ("waiting_external", MIDWAY, "Step 3 of 4: waits for Dynamics"),
        ("needs_person", MIDWAY, "Step 3 of 4 needs a person: Title 3"),
        ("outcome_unknown", MIDWAY, "Step 3 of 4: the outcome of a change is unknown"),
        ("failed", ("done", "failed", "not_started"), "Stopped at step 2 of 3: Title 2"),
        ("plan_stale", ("done", "failed", "not_started"), "Stopped at step 2 of 3: Title 2"),
        ("succeeded", ("done", "done"), "All 2 steps are done and read back"),
        ("queued", ("to_do",), "waits for Dynamics"),
    ],
)
def test_the_sentence_says_where_the_job_is(
    state: str, rows: tuple[str, ...], sentence: str
) -> None:
    started = None if state == "queued" else NOW - 9 * MINUTE

    shown = progress_of(
        job(state, note="waits for Dynamics", started_at=started), steps(*rows), None, NOW
    )

    assert shown.sentence == sentence


def test_an_approved_job_says_whether_it_waits_for_its_window() -> None:
    now, later = job("approved"), job("approved", window_starts_at=NOW + MINUTE)

    assert progress_of(now, [], None, NOW).sentence == "Approved; waits for a worker"
    assert progress_of(later, [], None, NOW).sentence == "Approved; waits for its change window"


def test_the_title_carries_the_state() -> None:
    assert (
        progress_of(job("waiting_external"), steps(*MIDWAY), None, NOW).title
        == "J-7 Waiting, 2 of 4"
    )
    assert progress_of(job("draft"), [], None, NOW).title == "J-7 Draft"


def test_time_stands_still_once_the_job_has_ended() -> None:
    ended = job("failed", ended_at=NOW - 4 * MINUTE)

    shown = progress_of(ended, steps("failed"), None, NOW)

    assert shown.elapsed_s == 300
    assert shown.estimate == ""


def test_a_job_is_at_no_step_before_its_start_and_after_its_end() -> None:
    assert current(job("approved", started_at=None), steps("to_do")) is None
    assert current(job("succeeded"), steps("done")) is None


def test_a_step_that_waits_for_a_person_is_shown_as_its_job_is() -> None:
    shown = runs_of(job("needs_person"), steps("done", "waiting"), {2: 5})

    assert shown[1].look.word == JobState.NEEDS_PERSON.label
    assert shown[1].line == 5
    assert shown[0].look.word == StepState.DONE.label


def test_only_steps_that_are_over_tell_what_they_changed() -> None:
    rows = steps("done", "running")
    rows[0].planned.before, rows[0].after, rows[0].changed = {"f": "a"}, {"f": "b"}, True

    first, second = runs_of(job("running"), rows, {})

    assert first.said == "Changed and read back"
    assert [(line.old, line.new) for line in first.lines] == [("a", "b")]
    assert second.lines == ()
