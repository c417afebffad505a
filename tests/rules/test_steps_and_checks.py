"""One file, one step, one key; every check stands in the plan."""

from __future__ import annotations

import ast
from pathlib import PurePath

import pytest

from portal.jobs import plans
from portal.jobs.checks import Check
from portal.jobs.step import Step
from sync_setup.checks import CONNECT_CHECKS
from tests.rules.sources import module_of, python, tree

STEP_FILES = [name for name in python("sync_setup/steps/") if not name.endswith("__init__.py")]


def _subclasses(of: type) -> set[type]:
    found: set[type] = set()
    children: list[type] = of.__subclasses__()
    for child in children:
        found |= {child} | _subclasses(child)
    return found


@pytest.mark.parametrize("name", STEP_FILES)
def test_a_step_file_holds_one_step_with_the_key_of_its_name(name: str) -> None:
    classes = [node for node in tree(name).body if isinstance(node, ast.ClassDef)]
    steps = [c for c in classes if any(_name(base).endswith("Step") for base in c.bases)]
    assert len(steps) == 1

    found = {step for step in _subclasses(Step) if step.__module__ == module_of(name)}

    assert [step.key for step in found] == [PurePath(name).stem.replace("_", "-")]  # type: ignore[attr-defined]


def _name(base: ast.expr) -> str:
    whole = base.value if isinstance(base, ast.Subscript) else base
    return whole.attr if isinstance(whole, ast.Attribute) else getattr(whole, "id", "")


@pytest.mark.parametrize("name", STEP_FILES)
def test_a_step_stands_in_a_plan(name: str) -> None:
    planned = {type(step).__module__ for kind in plans.kinds() for step in kind.steps}

    assert module_of(name) in planned


def test_no_plan_names_a_step_twice() -> None:
    for kind in plans.kinds():
        keys = [step.key for step in kind.steps]
        assert len(keys) == len(set(keys)), kind.slug


def test_keys_of_checks_are_unique_and_say_what_they_are_of() -> None:
    keys = [check.key for check in CONNECT_CHECKS]

    assert len(keys) == len(set(keys))


def test_every_check_that_is_written_is_made() -> None:
    made = {type(check) for check in CONNECT_CHECKS}
    written = {
        check
        for check in _subclasses(Check)
        if check.__module__.startswith("sync_setup.") and not check.__subclasses__()
    }

    assert written - made == set()
