"""A plan's fields as lines of text: what is kept, added, changed, removed. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from portal.jobs.field_words import FieldWords, Words

# Entries of a list that stay are named one by one up to here, and folded from there on.
NAMED_KEEPS = 4
_THUMBPRINT = re.compile(r"\b[0-9A-F]{40}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Op(Enum):
    """What a plan does with one field, or with one entry of a list."""

    KEEP = ("=", "Keep", "grey")
    ADD = ("+", "Add", "green")
    CHANGE = ("~", "Change", "amber")
    REMOVE = ("−", "Remove", "red")

    def __init__(self, sign: str, word: str, colour: str) -> None:
        self.sign = sign
        self.word = word
        self.colour = colour


@dataclass(frozen=True)
class Line:
    """One line of a plan.

    :param field: its label, where an app gives it one; then ``raw`` is the outside system's name for it.
    :param old: the value before; None where nothing is set.
    :param new: the value wanted; None where nothing is wanted.
    :param after: stands for a value that an earlier step makes ("known after step 3").
    :param kept: entries of a long list that stay as they are.
    """

    op: Op
    field: str
    old: str | None = None
    new: str | None = None
    after: str = ""
    kept: tuple[str, ...] = ()
    is_entry: bool = False
    raw: str = ""


def lines_of(
    before: Mapping[str, Any],
    wanted: Mapping[str, Any],
    positions: Mapping[str, int] | None = None,
    words: Words | None = None,
) -> tuple[Line, ...]:
    """Write two states of the same fields as lines: Keep, Add, Change, Remove.

    A list is the set of its entries, as the engine compares it, so each entry is a line of its own.

    :param positions: number of each step by key, to name the one that makes a value known later.
    :param words: what the step's app says of its fields.
    """
    made: list[Line] = []
    for name in sorted(set(before) | set(wanted)):
        old, new = before.get(name), wanted.get(name)
        field = _Field(name, (words or {}).get(name))
        if isinstance(old, list) or isinstance(new, list):
            made += _entry_lines(field, old or [], new or [])
        else:
            made.append(_value_line(field, old, new, positions or {}))
    return tuple(made)


class _Field:
    """A field with what is said of it."""

    def __init__(self, name: str, words: FieldWords | None) -> None:
        self.name, self.words = name, words

    def line(self, op: Op, **rest: Any) -> Line:
        if self.words is None:
            return Line(op, self.name, **rest)
        return Line(op, self.words.label, raw=self.name, **rest)

    def value(self, value: Any) -> str:
        return in_words(value, self.words)

    def optional(self, value: Any) -> str | None:
        return None if value is None else self.value(value)


def in_words(value: Any, words: FieldWords | None) -> str:
    """Write a value as its field's app does, or else as any other."""
    said = words.write(value) if words else None
    return written(value) if said is None else said


def _value_line(field: _Field, old: Any, new: Any, positions: Mapping[str, int]) -> Line:
    if isinstance(new, dict) and "known_after" in new:
        step = positions.get(new["known_after"])
        after = f"known after step {step}" if step else f"known after {new['known_after']}"
        op = Op.ADD if old is None else Op.CHANGE
        return field.line(op, old=field.optional(old), after=after)
    op = Op.ADD if old is None else Op.REMOVE if new is None else Op.CHANGE
    if old == new:
        op = Op.KEEP
    return field.line(op, old=field.optional(old), new=field.optional(new))


def _entry_lines(field: _Field, old: Sequence[Any], new: Sequence[Any]) -> list[Line]:
    before = {json.dumps(entry, sort_keys=True): entry for entry in old}
    wanted = {json.dumps(entry, sort_keys=True): entry for entry in new}
    kept = tuple(field.value(before[key]) for key in sorted(before.keys() & wanted.keys()))
    lines = (
        [field.line(Op.KEEP, kept=kept, is_entry=True)]
        if len(kept) > NAMED_KEEPS
        else [field.line(Op.KEEP, old=entry, new=entry, is_entry=True) for entry in kept]
    )
    for key in sorted(before.keys() - wanted.keys()):
        lines.append(field.line(Op.REMOVE, old=field.value(before[key]), is_entry=True))
    for key in sorted(wanted.keys() - before.keys()):
        lines.append(field.line(Op.ADD, new=field.value(wanted[key]), is_entry=True))
    return lines or [field.line(Op.KEEP, is_entry=True)]


def written(value: Any) -> str:
    """Write a value for people: yes and no, thumbprints in groups of four, records as "name value".

    Instants are written in UTC: requester and approver read one text, whatever their zones.
    """
    match value:
        case None:
            return "not set"
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name} {written(item)}" for name, item in value.items())
        case list():
            between = "; " if any(isinstance(item, dict) for item in value) else ", "
            return between.join(written(item) for item in value) or "none"
        case str() if not value:
            return "empty"
        case str() if _INSTANT.fullmatch(value):
            at = datetime.fromisoformat(value).astimezone(UTC)
            return f"{at:%-d %b %Y, %H:%M:%S} UTC" if at.second else f"{at:%-d %b %Y, %H:%M} UTC"
        case str():
            return grouped(value)
    return str(value)


def grouped(text: str) -> str:
    """Write the thumbprints in a text in groups of four, as people compare them."""
    return _THUMBPRINT.sub(
        lambda found: " ".join(re.findall("....", found.group())),
        text,
    )


def pairs_of(facts: Mapping[str, Any], words: Words | None = None) -> tuple[tuple[str, str], ...]:
    """Write evidence as pairs of name and value; what is said of a name stands for it."""
    said = words or {}
    return tuple(
        (said[name].label if name in said else name, in_words(value, said.get(name)))
        for name, value in facts.items()
    )


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 change, 2 changes."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
