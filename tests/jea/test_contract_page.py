"""docs/crm-server-contract.md says what contract.json says, no more and no less."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.jea.contract_file import CONTRACT, FUNCTIONS
from tests.jea.contract_page import code_list, parameter_row, properties
from tests.jea.powershell import JEA

PAGE = (JEA.parents[1] / "docs" / "crm-server-contract.md").read_text(encoding="utf-8")


def _section(title: str) -> str:
    """The text under a heading, up to the next one of its level or above."""
    marks, _, _ = title.partition(" ")
    start = PAGE.index(f"\n{title}\n") + len(title) + 2
    following = re.compile(rf"^#{{2,{len(marks)}}} ", re.MULTILINE).search(PAGE, start)
    return PAGE[start : following.start() if following else len(PAGE)]


def _rows(text: str) -> list[str]:
    """Rows of the tables, without heads and rulers."""
    lines = text.splitlines()
    return [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("|") and not line.startswith("|-") and not following.startswith("|-")
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_described_as_it_is(name: str) -> None:
    function: dict[str, Any] = FUNCTIONS[name]
    section = _section(f"### {name}")

    assert _rows(section) == [parameter_row(p) for p in function["parameters"]]
    where = "every server" if function["where"] == "all" else "the Deployment Tools server"
    assert f"Role: {function['role']}. Where: {where}." in section
    assert f"Refuses: {code_list(function['refuses'])}.\n" in section
    for word in ("result", "before", "after"):
        if word in function:
            assert f"{word.title()}: {properties(function[word])}.\n" in section
    if "resource" in function:
        assert f" Fence: {function['resource']}.\n" in section
        assert f"Undo: {function['undo']}.\n" in section


def test_the_page_has_the_contracts_functions_in_its_order() -> None:
    assert re.findall(r"(?m)^### (.+)$", PAGE) == list(FUNCTIONS)
    assert f"# The contract of the CRM servers, version {CONTRACT['version']}\n" in PAGE


def test_envelope_and_common_parameters_are_the_contracts() -> None:
    assert _section("## Envelope").strip() == properties(CONTRACT["envelope"]) + "."
    common = _rows(_section("## The five parameters of every change"))
    assert common == [parameter_row(p) for p in CONTRACT["changeParameters"]]
    look, change = CONTRACT["refusesAlways"]["look"], CONTRACT["refusesAlways"]["change"]
    assert f"may also refuse with {code_list(look)}; every change with {code_list(change)}." in PAGE
    assert f"restricted session: {', '.join(CONTRACT['restrictedCommands'])}." in " ".join(
        PAGE.split()
    )


def test_shapes_words_and_clouds_are_the_contracts() -> None:
    assert _rows(_section("## Shapes")) == [
        f"| {name} | {properties(shape)} |" for name, shape in CONTRACT["shapes"].items()
    ]
    enums = [f"| {name} | {', '.join(words)} |" for name, words in CONTRACT["enums"].items()]
    scalars = [
        f"| {name} | {scalar['json']}"
        + (f" `{scalar['pattern']}`" if "pattern" in scalar else "")
        + " |"
        for name, scalar in CONTRACT["scalars"].items()
    ]
    assert _rows(_section("## Words")) == enums + scalars
    assert _rows(_section("## Clouds")) == [
        f"| {name} | {c['principalId']} | {c['metadataUrl']} | {', '.join(c['egressHosts'])} |"
        for name, c in CONTRACT["clouds"].items()
    ]


def test_every_code_is_explained() -> None:
    rows = _rows(_section("## Codes"))

    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == CONTRACT["codes"]
    assert all(len(row.split(" | ")[1]) > 20 for row in rows)
