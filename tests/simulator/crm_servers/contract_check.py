"""Whether an answer has exactly the shape that the contract gives it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "sync_setup/jea/contract.json").read_text(encoding="utf-8")
)
FUNCTIONS: dict[str, dict[str, Any]] = {f["name"]: f for f in CONTRACT["functions"]}


def check_answer(name: str, text: str) -> dict[str, Any]:
    """Read the one string of a function and hold every property against the contract."""
    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    answer: dict[str, Any] = json.loads(text)
    _check_properties(CONTRACT["envelope"], answer, name)
    assert answer["Function"] == name
    assert answer["ContractVersion"] == CONTRACT["version"]
    assert answer["Ok"] == (answer["Error"] is None) == (answer["Result"] is not None)
    assert _depth(answer) <= 6
    function = FUNCTIONS[name]
    if answer["Error"] is not None:
        assert answer["Error"]["Code"] in _codes(function), answer["Error"]
    elif function["role"] == "look":
        _check_properties(function["result"], answer["Result"], name)
    else:
        _check_properties(CONTRACT["shapes"]["ChangeResult"], answer["Result"], name)
        _check_properties(function["before"], answer["Result"]["Before"], name)
        _check_properties(function["after"], answer["Result"]["After"], name)
    return answer


def _codes(function: dict[str, Any]) -> set[str]:
    return set(function["refuses"]) | set(CONTRACT["refusesAlways"][function["role"]])


def _check_properties(wanted: dict[str, str], value: dict[str, Any], where: str) -> None:
    assert set(value) == set(wanted), where
    for name, kind in wanted.items():
        _check(kind, value[name], f"{where}.{name}")


def _check(kind: str, value: Any, where: str) -> None:
    if kind.endswith("[]"):
        assert isinstance(value, list), where
        for item in value:
            _check(kind.removesuffix("[]"), item, where)
    elif kind.endswith("?"):
        if value is not None:
            _check(kind.removesuffix("?"), value, where)
    elif kind in CONTRACT["shapes"]:
        _check_properties(CONTRACT["shapes"][kind], value, where)
    elif kind in CONTRACT["enums"]:
        assert value in CONTRACT["enums"][kind], where
    elif kind == "Code":
        assert value in CONTRACT["codes"], where
    else:
        _check_scalar(CONTRACT["scalars"][kind], value, where)


def _check_scalar(scalar: dict[str, str], value: Any, where: str) -> None:
    types: dict[str, Any] = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
        "object": dict,
    }
    assert isinstance(value, types[scalar["json"]]), where
    if scalar["json"] in ("integer", "number"):
        assert not isinstance(value, bool), where
    if "pattern" in scalar:
        assert re.fullmatch(scalar["pattern"], value), where


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(item) for item in value.values()), default=-1)
    if isinstance(value, list):
        return 1 + max((_depth(item) for item in value), default=-1)
    return 0
