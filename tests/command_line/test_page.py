"""docs/command-line.md lists what there is: verbs, exit codes, keys."""

from __future__ import annotations

import re

import pytest

from portal.command_line.outcome import Exit
from sync_setup.command_line.verbs import VERBS
from tests.command_line.test_telling import JOB_KEYS
from tests.stack import ROOT

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
TABLE = [line for line in PAGE.splitlines() if line.startswith("| ")]


def named(lines: list[str]) -> set[str]:
    return {name for line in lines for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])}


def test_every_verb_is_listed_and_no_other() -> None:
    assert named(TABLE) == {verb.name for verb in VERBS} | {"inspect"}


@pytest.mark.parametrize("code", Exit)
def test_every_exit_code_is_explained(code: Exit) -> None:
    assert any(line.startswith(f"| {code.value} |") for line in TABLE)


def test_the_keys_of_a_job_are_listed() -> None:
    start = PAGE.index("*Job keys*: `job`")
    listed = re.findall(r"`(\w+)`", PAGE[start : PAGE.index("\n\n", start)])

    assert set(listed) == JOB_KEYS
