"""What a fresh look shows of a step that was begun: told field by field, never guessed from an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portal.jobs.compare import Comparison
from portal.jobs.models import JobStep


@dataclass(frozen=True)
class Outcome:
    """The fields this step set out to change, by what became of them.

    :ivar done: as wanted. :ivar partly: on the way, such as a list with some of its new entries.
    :ivar untouched: as they were before the step.
    :ivar after: the fields as the look showed them.
    """

    done: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.done or self.partly)

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
            )
            if names
        ]
        return f"A fresh look at this step. {' '.join(parts)} {stay}"


def outcome_of(step: JobStep, found: Comparison, after: dict[str, Any]) -> Outcome:
    """Sort what the step set out to change by what is there now."""
    before = step.planned.before
    foreign = {item.field for item in found.foreign}
    done, partly, untouched = [], [], []
    for name in step.asked:
        if name in foreign:
            continue
        if name not in found.gaps:
            done.append(name)
        elif found.gaps[name].now != before.get(name):
            partly.append(name)
        else:
            untouched.append(name)
    return Outcome(tuple(done), tuple(partly), tuple(untouched), after)
