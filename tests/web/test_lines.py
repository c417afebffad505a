from __future__ import annotations

from typing import Any

import pytest

from portal.jobs.field_words import FieldWords
from portal.jobs.lines import Line, Op, lines_of, pairs_of, written


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("a", "a", Line(Op.KEEP, "f", "a", "a")),
        (None, "b", Line(Op.ADD, "f", None, "b")),
        ("a", None, Line(Op.REMOVE, "f", "a", None)),
        ("a", "b", Line(Op.CHANGE, "f", "a", "b")),
        (False, True, Line(Op.CHANGE, "f", "no", "yes")),
        (None, None, Line(Op.KEEP, "f", None, None)),
        ("", "x", Line(Op.CHANGE, "f", "empty", "x")),
        (5, 10, Line(Op.CHANGE, "f", "5", "10")),
    ],
)
def test_a_value_is_one_line(old: Any, new: Any, line: Line) -> None:
    assert lines_of({"f": old}, {"f": new}) == (line,)


def test_a_field_that_only_one_side_has_counts_as_not_set_on_the_other() -> None:
    assert lines_of({}, {"f": 1}) == (Line(Op.ADD, "f", None, "1"),)
    assert lines_of({"f": 1}, {}) == (Line(Op.REMOVE, "f", "1", None),)


def test_a_list_is_told_entry_by_entry_whatever_its_order() -> None:
    lines = lines_of({"f": ["a", "b"]}, {"f": ["b", "c"]})

    assert [(line.op, line.old, line.new) for line in lines] == [
        (Op.KEEP, "b", "b"),
        (Op.REMOVE, "a", None),
        (Op.ADD, None, "c"),
    ]
    assert all(line.is_entry for line in lines)


def test_many_entries_that_stay_are_folded_and_none_is_lost() -> None:
    names = [f"name {number}" for number in range(9)]

    kept, added = lines_of({"f": names}, {"f": [*names, "one more"]})

    assert kept == Line(Op.KEEP, "f", kept=tuple(names), is_entry=True)
    assert added.new == "one more"


def test_a_list_that_was_not_there_and_one_without_entries_are_told_too() -> None:
    assert [line.op for line in lines_of({"f": None}, {"f": ["a"]})] == [Op.ADD]
    assert lines_of({"f": []}, {"f": []}) == (Line(Op.KEEP, "f", is_entry=True),)


def test_records_of_a_list_are_compared_as_the_engine_compares_them() -> None:
    one, same = {"id": 1, "end": "May"}, {"end": "May", "id": 1}

    assert [line.op for line in lines_of({"f": [one]}, {"f": [same]})] == [Op.KEEP]


def test_what_an_earlier_step_makes_is_named_by_its_number() -> None:
    wanted = {"f": {"known_after": "make-profile", "name": "id"}}

    assert lines_of({"f": None}, wanted, {"make-profile": 10}) == (
        Line(Op.ADD, "f", None, None, "known after step 10"),
    )
    assert lines_of({"f": "x"}, wanted)[0].after == "known after make-profile"


def test_fields_stand_in_one_order_on_every_database() -> None:
    assert [line.field for line in lines_of({"b": 1, "a": 1}, {"c": 1})] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            "9F2C41D78B03E6A51C7D0F94B2E863A15D0C7E42",
            "9F2C 41D7 8B03 E6A5 1C7D 0F94 B2E8 63A1 5D0C 7E42",
        ),
        ("9f2c41d78b03e6a51c7d0f94b2e863a15d0c7e42", "9f2c41d78b03e6a51c7d0f94b2e863a15d0c7e42"),
        (None, "not set"),
        ({"subject": "CN=a", "in use": True}, "subject CN=a, in use yes"),
        ([], "none"),
        (["a", 1], "a, 1"),
    ],
)
def test_values_are_written_for_people(value: Any, text: str) -> None:
    assert written(value) == text


def test_what_an_app_says_of_a_field_stands_for_it_and_its_own_name_beside_it() -> None:
    words = {"f": FieldWords("Colour", {1: "red [1]"}.get)}

    assert lines_of({"f": 1}, {"f": 2}, words=words) == (
        Line(Op.CHANGE, "Colour", "red [1]", "2", raw="f"),
    )
    assert lines_of({"g": [1]}, {"g": [1, 2]}, words={"g": words["f"]}) == (
        Line(Op.KEEP, "Colour", "red [1]", "red [1]", is_entry=True, raw="g"),
        Line(Op.ADD, "Colour", None, "2", is_entry=True, raw="g"),
    )
    assert pairs_of({"f": 1, "g": 2}, words) == (("Colour", "red [1]"), ("g", "2"))


def test_instants_and_thumbprints_are_written_as_people_read_them() -> None:
    thumbprint = "11D8E7C80D2A5C2B4FA8130DDE052CFE77329236"
    apart = "11D8 E7C8 0D2A 5C2B 4FA8 130D DE05 2CFE 7732 9236"

    assert written("2026-12-13T20:14:00+01:00") == "13 Dec 2026, 19:14 UTC"
    assert written("2026-11-15T16:14:28.412000+00:00") == "15 Nov 2026, 16:14:28 UTC"
    assert written(f"{thumbprint} 80bffd") == f"{apart} 80bffd"
    assert written([{"a": 1}, {"b": 2}]) == "a 1; b 2"
