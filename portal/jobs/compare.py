"""Compare what is with what was planned, field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.jobs.step import Gap


@dataclass(frozen=True)
class Foreign:
    """A field (or an entry of a list) that somebody else changed."""

    field: str
    before: Any
    wanted: Any
    now: Any


@dataclass(frozen=True)
class Comparison:
    """``gaps``: still as before. ``foreign``: neither as before nor as wanted. Both empty: settled."""

    gaps: dict[str, Gap]
    foreign: list[Foreign]

    @property
    def settled(self) -> bool:
        return not self.gaps and not self.foreign


def compare(
    before: Mapping[str, Any], wanted: Mapping[str, Any], now: Mapping[str, Any]
) -> Comparison:
    """Sort every planned field into settled, gap or foreign.

    A list is the set of its entries, each entry judged for itself: one that neither the plan's
    before nor its wanted has, or one that both have and that is gone, is foreign.
    """
    gaps: dict[str, Gap] = {}
    foreign: list[Foreign] = []
    for name in sorted(set(before) | set(wanted)):
        old, new, current = before.get(name), wanted.get(name), now.get(name)
        if isinstance(old, list) or isinstance(new, list):
            is_gap, is_foreign = _sets(entries(old), entries(new), entries(current))
        else:
            is_gap, is_foreign = current != new, current not in (old, new)
        if is_foreign:
            foreign.append(Foreign(name, old, new, current))
        elif is_gap:
            gaps[name] = Gap(current, new)
    return Comparison(gaps, foreign)


def _sets(old: set[str], new: set[str], current: set[str]) -> tuple[bool, bool]:
    moved = {entry for entry in old | new | current if (entry in current) != (entry in new)}
    return bool(moved), any((entry in old) == (entry in new) for entry in moved)


def entries(value: Any) -> set[str]:
    """Give a list's entries in a form that can be compared; of None, none."""
    if value is None:
        return set()
    return {json.dumps(entry, sort_keys=True) for entry in value}
