"""What apps say of their steps' fields: a label for people, and values in words. One table for pages and command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def _as_any_other(value: Any) -> str | None:
    return None


@dataclass(frozen=True)
class FieldWords:
    """How one field of a step, or one piece of its evidence, reads.

    :param label: its name for people; the outside system's own name stays beside it.
    :param write: gives a value in words, or None where it is written as any other.
    """

    label: str
    write: Callable[[Any], str | None] = _as_any_other


Words = Mapping[str, FieldWords]

_words: dict[str, Words] = {}


def register(step_key: str, words: Words) -> None:
    """Have the fields of a step read like this wherever they are shown."""
    _words[step_key] = words


def words_of(step_key: str) -> Words:
    """Give what is said of the fields of a step, or of the step that takes it back; empty where every field speaks for itself."""
    return _words.get(step_key) or _words.get(step_key.removeprefix("undo-"), {})
