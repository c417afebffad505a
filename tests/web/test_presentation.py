from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from portal.jobs.lines import Op
from portal.jobs.models import CheckResult, PlanStep
from portal.jobs.presentation import checks_of, difference_of, plan_of
from portal.jobs.states import Verdict

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def step(position: int, group: str = "One", **fields: Any) -> PlanStep:
    return PlanStep(
        **{
            "position": position,
            "key": f"step-{position}",
            "title": f"Title {position}",
            "system": "System",
            "group": group,
            "before": {"f": "a"},
            "wanted": {"f": "b"},
        }
        | fields
    )


def check(key: str, verdict: Verdict, minutes: int = 0, **fields: Any) -> CheckResult:
    return CheckResult(
        **{
            "key": key,
            "title": key,
            "group": "Group",
            "verdict": verdict,
            "finding": "Found.",
            "checked_at": NOON - timedelta(minutes=minutes),
        }
        | fields
    )


def test_neighbouring_steps_of_a_group_stand_together_in_their_order() -> None:
    plan = plan_of("d", NOON, [step(1), step(2), step(3, "Two"), step(4)], {})

    assert [(group.number, group.title, len(group.steps)) for group in plan.groups] == [
        (1, "One", 2),
        (2, "Two", 1),
        (3, "One", 1),
    ]


def test_a_plan_says_how_much_it_changes() -> None:
    plan = plan_of(
        "d",
        NOON,
        [
            step(1, before={"a": None, "b": 1, "c": [1]}, wanted={"a": 1, "b": 2, "c": []}),
            step(2, before={"k": 1}, wanted={"k": 1}),
        ],
        {},
    )

    assert plan.words == "3 changes: 1 add, 1 change, 1 remove"
    assert plan.groups[0].words == "3 changes"
    assert plan_of("d", NOON, [step(1)], {}).groups[0].words == "1 change, nothing removed"


def test_a_plan_that_finds_all_as_wanted_says_so() -> None:
    plan = plan_of("d", NOON, [step(1, wanted={"f": "a"})], {})

    assert plan.words == "nothing to change: all is as wanted already"
    assert plan.groups[0].words == "nothing to change"


def test_what_cannot_be_undone_is_named_only_where_it_changes_something() -> None:
    burns = step(1, is_reversible=False)
    rests = step(2, is_reversible=False, wanted={"f": "a"})

    plan = plan_of("d", NOON, [burns, rests], {})

    assert [item.position for item in plan.for_good] == [1]


def test_a_step_says_what_its_author_says_of_it() -> None:
    plan = plan_of("d", NOON, [step(1, shown={"days left": 9})], {"step-1": ("Why.", "https://x")})

    (shown,) = plan.steps
    assert (shown.about, shown.source, shown.evidence) == (
        "Why.",
        "https://x",
        (("days left", "9"),),
    )


def test_checks_that_need_somebody_come_first_the_worst_of_them_on_top() -> None:
    shown = checks_of(
        [
            check("passes", Verdict.PASS),
            check("warns", Verdict.WARN),
            check("records", Verdict.TO_RECORD),
            check("away", Verdict.CANNOT_CHECK),
            check("blocks", Verdict.BLOCK, fix="First.\n\n Then. "),
        ]
    )

    assert [item.title for item in shown.problems] == ["blocks", "away", "records", "warns"]
    assert [item.title for item in shown.stopping] == ["blocks", "away", "records"]
    assert shown.problems[0].fix == ("First.", "Then.")
    assert (
        shown.words == "1 in the way, 1 could not be checked, 1 to be recorded, 1 warning, 1 passed"
    )


def test_checks_are_as_old_as_their_oldest_answer() -> None:
    shown = checks_of([check("a", Verdict.PASS, 3), check("b", Verdict.WARN, 9)])

    assert shown.checked_at == NOON - timedelta(minutes=9)
    assert checks_of([]).checked_at is None


def test_two_plans_differ_by_what_was_found_and_by_what_is_wanted() -> None:
    old = [step(1), step(2), step(3)]
    new = [step(1), step(2, before={"f": "c"}), step(4)]

    found = {item.title: item.lines for item in difference_of(old, new)}

    assert set(found) == {"Title 2", "Title 3", "Title 4"}
    assert [(line.op, line.field, line.old, line.new) for line in found["Title 2"]] == [
        (Op.CHANGE, "found: f", "a", "c")
    ]
    assert found["Title 3"][0].op is Op.REMOVE
    assert found["Title 4"][0].op is Op.ADD
    assert difference_of(old, old) == ()
