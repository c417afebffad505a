"""The catalogue of history is what the code records, and every process knows all of it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache

from tests.rules.sources import PRODUCT, ROOT, calls, python, tree

_EVENT = re.compile(r"[a-z]+\.[a-z_]+")
# The words of the simulator's ledger, which have the same form.
_OTHER_WORDS = "sync_setup/rehearsal/"
_AT_START = """
import django, json
django.setup()
from portal.audit import events
print(json.dumps(events.catalogue()))
"""


@cache
def _catalogue() -> dict[str, str]:
    """The events that a process knows once Django is set up, before it does anything."""
    asked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _AT_START], cwd=ROOT, capture_output=True, check=True
    )
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _recorded() -> dict[str, str]:
    """Events that are given to record() as a literal, each with a file that does."""
    return {
        str(call.args[0].value): file
        for file in python(*PRODUCT)
        for call in calls(file)
        if _name(call) == "record" and call.args and isinstance(call.args[0], ast.Constant)
    }


def _said() -> set[str]:
    """Every text in the code with the form of an event, but for the catalogue's own entries."""
    said: set[str] = set()
    for file in python(*PRODUCT):
        if file.startswith(_OTHER_WORDS):
            continue
        entries = {
            part
            for call in calls(file)
            if _name(call) == "register"
            for argument in call.args
            for part in ast.walk(argument)
        }
        said |= {
            node.value
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in entries
            and _EVENT.fullmatch(node.value)
        }
    return said


def test_every_process_knows_every_event_that_is_recorded() -> None:
    """An event that only its own module registers has no words on the page of another process."""
    unknown = {event: file for event, file in _recorded().items() if event not in _catalogue()}

    assert unknown == {}


def test_every_event_in_the_catalogue_is_recorded_somewhere() -> None:
    assert sorted(set(_catalogue()) - _said()) == []


def test_what_reaches_record_through_a_variable_is_in_the_catalogue_too() -> None:
    families = {event.partition(".")[0] for event in _catalogue()}
    strangers = {text for text in _said() if text.partition(".")[0] in families}

    assert sorted(strangers - set(_catalogue())) == []


def test_every_event_has_words_that_continue_a_name() -> None:
    """The page writes "Mira Costa sent the plan for approval"."""
    for event, words in _catalogue().items():
        assert _EVENT.fullmatch(event)
        assert re.fullmatch(r"[a-z].*[^.\s]", words), event
