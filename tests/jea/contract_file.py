"""The contract in machine-readable form, with the little that every comparison needs of it."""

from __future__ import annotations

import json
from typing import Any

from tests.jea.powershell import JEA

CONTRACT: dict[str, Any] = json.loads((JEA / "contract.json").read_text(encoding="utf-8"))
FUNCTIONS: dict[str, dict[str, Any]] = {f["name"]: f for f in CONTRACT["functions"]}
LOOKS = [name for name, f in FUNCTIONS.items() if f["role"] == "look"]
CHANGES = [name for name, f in FUNCTIONS.items() if f["role"] == "change"]


def parameters(name: str) -> list[dict[str, Any]]:
    """A function's parameters, for a change with the five that every change has."""
    function = FUNCTIONS[name]
    common = CONTRACT["changeParameters"] if function["role"] == "change" else []
    return [*common, *function["parameters"]]


def codes(name: str) -> set[str]:
    """The codes that a function may answer with."""
    function = FUNCTIONS[name]
    return set(function["refuses"]) | set(CONTRACT["refusesAlways"][function["role"]])
