"""The ledger and the dials as objects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.dials import BadDial, Dials
from simulator.json_state import from_json, look_up, put, remove, to_json
from simulator.ledger import Ledger


def test_entries_have_number_and_time_and_stay_as_they_were(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    after = {"names": ["a"]}
    ledger.record("graph", "x.y", "t", "me", None, after, operation_id="7")
    after["names"].append("b")
    ledger.record("crm", "x.z", "t", "me", 1, 2)

    first, second = ledger.entries()

    assert (first["seq"], second["seq"]) == (1, 2)
    assert first["after"] == {"names": ["a"]}
    assert first["operation_id"] == "7"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(first["at"]))
    assert ledger.entries(since=1) == [second]
    ledger.close()


def test_a_half_written_last_line_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    ledger = Ledger(file)
    ledger.record("graph", "x", "t", "me", None, 1)
    ledger.close()
    with file.open("a", encoding="utf-8") as open_file:
        open_file.write('{"seq": 2, "at": "2026')

    again = Ledger(file)
    again.record("graph", "x", "t", "me", 1, 2)

    assert [entry["seq"] for entry in again.entries()] == [1, 2]
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2
    again.clear()
    assert again.entries() == []
    again.close()


def test_the_oldest_dial_that_strikes_wins() -> None:
    dials = Dials()
    dials.add({"where": "graph", "fault": "status", "status": 500, "skip": 1})
    dials.add({"where": "*", "fault": "latency", "seconds": 1, "times": -1})

    struck = [dials.take("graph", "x") for _ in range(3)]

    kinds = [fault.fault if fault else "" for fault in struck]
    assert kinds == ["latency", "status", "latency"]


def test_settings_keep_their_type() -> None:
    dials = Dials()
    dials.add({"set": "crm/test_seconds", "value": 2})
    dials.add({"set": "name", "value": "x"})

    assert dials.setting("crm/test_seconds", 1.5) == 2.0
    assert dials.setting("unset", 7) == 7
    with pytest.raises(BadDial):
        dials.setting("name", 1.0)


def test_clear_goes_back_to_the_dials_of_the_start() -> None:
    dials = Dials([{"set": "a", "value": 1}])
    dials.add({"set": "a", "value": 2})
    dial = dials.add({"where": "graph", "fault": "refused"})
    assert dials.is_refused("graph")

    dials.clear()

    assert dials.to_json() == [{"set": "a", "value": 1}]
    assert not dials.remove(dial)


def test_who_listens_is_told() -> None:
    dials, told = Dials(), []
    dials.on_change(lambda: told.append(True))

    dials.add({"set": "a", "value": 1})
    dials.remove("a")

    assert told == [True, True]


def test_paths_reach_every_value() -> None:
    state: dict[str, object] = {"list": [{"name": "a", "x": 1}, "plain"], "n": None}

    put(state, ["list", "a", "x"], 2)
    put(state, ["list", "-"], 5)
    remove(state, ["list", "plain"])

    assert to_json(state) == {"list": [{"name": "a", "x": 2}, 5], "n": None}
    assert look_up(state, ["list", "-1"]) == 5
    with pytest.raises(KeyError):
        look_up(state, ["list", "b"])


def test_values_must_fit_their_type() -> None:
    assert from_json(float, 1) == 1.0
    assert from_json(list[str], ["a"]) == ["a"]
    assert from_json(str | None, None) is None
    with pytest.raises(TypeError):
        from_json(list[str], "a")
    with pytest.raises(TypeError):
        from_json(int, True)
