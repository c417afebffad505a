"""What a fresh look shows of a step that was begun: told field by field, never guessed from an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.jobs.compare import entries


@dataclass(frozen=True)
class Outcome:
    """The fields a step set out to change, by what became of them.

    :ivar done: as wanted. :ivar partly: a list with some of the entries it was to gain or lose.
    :ivar untouched: as they were before the step.
    :ivar taken: somebody else's value stands there; what the step did before that cannot be told.
    :ivar after: all fields as the look showed them.
    """

    done: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether the step changed something, or may have."""
        return bool(self.done or self.partly or self.taken)

    def words(self) -> str:
        """Say it in sentences for whoever has to go on from here."""
        stay = "Steps that were verified stay."
        if not self.changed:
            return f"A fresh look shows that this step changed nothing. {stay}"
        parts = [
            f"{word}: {', '.join(names)}."
            for word, names in (
                ("Done", self.done),
                ("Done in part", self.partly),
                ("Not done", self.untouched),
                ("Somebody else's value stands there, so it cannot be told", self.taken),
            )
            if names
        ]
        return f"A fresh look at this step. {' '.join(parts)} {stay}"


def outcome_of(
    asked: Iterable[str],
    before: Mapping[str, Any],
    wanted: Mapping[str, Any],
    now: Mapping[str, Any],
) -> Outcome:
    """Sort what a step set out to change by what is there now. Of a list only its own entries count."""
    found: dict[str, list[str]] = {"done": [], "partly": [], "untouched": [], "taken": []}
    for name in asked:
        found[_fate(before.get(name), wanted.get(name), now.get(name))].append(name)
    return Outcome(**{fate: tuple(names) for fate, names in found.items()}, after=dict(now))


def _fate(before: Any, wanted: Any, now: Any) -> str:
    if not (isinstance(before, list) or isinstance(wanted, list)):
        if now == wanted:
            return "done"
        return "untouched" if now == before else "taken"
    old, new, current = entries(before), entries(wanted), entries(now)
    moved = ((new - old) & current) | ((old - new) - current)
    if moved == new ^ old:
        return "done"
    return "partly" if moved else "untouched"
