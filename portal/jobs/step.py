"""What a step is: it can look, say what it wants, and change."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from portal.errors import NotSettled, PortalError

Context = TypeVar("Context")
# A field's value: None (not there), text, number, yes/no, or a list, which is compared as the set of its entries.
Value = Any


@dataclass(frozen=True)
class KnownAfter:
    """Stands in a plan for what only an earlier step makes, such as the id of a new profile."""

    step: str
    name: str

    def to_json(self) -> dict[str, str]:
        return {"known_after": self.step, "name": self.name}


@dataclass(frozen=True)
class Look:
    """What a step saw.

    :param fields: compared field by field with the plan, and part of its digest. Never a secret.
    :param shown: evidence for people (days left, start times); never compared.
    :param made: what later steps need and only this one can tell.
    """

    fields: Mapping[str, Value]
    shown: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gap:
    """One field that is not yet as wanted."""

    now: Value
    wanted: Value


@dataclass(frozen=True)
class Order:
    """Who acts, on whose behalf, and how an outside system can tell it from anybody older.

    :param mark: what ``Step.mark`` gave when the intent was written.
    :param log: adds a line to the job's log.
    """

    portal_id: uuid.UUID
    epoch: int
    fence: int
    job: str
    digest: str
    step: str
    mark: Any
    log: Callable[[str], None]

    def operation(self, name: str) -> uuid.UUID:
        """Give the id of one effect: the same for every attempt of this step of this plan at this effect."""
        return uuid.uuid5(self.portal_id, f"{self.digest}|{self.job}|{self.step}|{name}")


@dataclass(frozen=True)
class Done:
    """What a step of a job had done that is to be taken back.

    :ivar before: the fields as the plan found them. :ivar after: as the step left them.
    :ivar shown: the evidence of the plan's look, where it is kept for this.
    :ivar made: what the step made for later ones, such as a key's id.
    """

    portal_id: uuid.UUID
    job: str
    digest: str
    step: str
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    shown: Mapping[str, Any]
    made: Mapping[str, str]

    def operation(self, name: str) -> uuid.UUID:
        """Give the id of an effect that step had; CRM servers keep the state before under it."""
        return uuid.uuid5(self.portal_id, f"{self.digest}|{self.job}|{self.step}|{name}")


@dataclass(frozen=True)
class Planned:
    """One row of a plan in the making."""

    key: str
    fields: Mapping[str, Value]
    wanted: Mapping[str, Value]

    @property
    def changes(self) -> bool:
        return dict(self.fields) != dict(self.wanted)


class NotYet(Exception):
    """The outside system is still at work; look again later, meanwhile nobody waits.

    :param heard: False for a pause of our own, in which the outside said nothing new: it does not end
        a row of failed tries.
    """

    def __init__(self, look_again_s: float, text: str, *, heard: bool = True) -> None:
        super().__init__(text)
        self.look_again_s = look_again_s
        self.text = text
        self.heard = heard


class NeedsPerson(Exception):
    """Only a person can do this; the job pauses on the instruction and keeps its locks.

    :param look_again_s: where a look can tell that the person did it: seconds until the next one.
    """

    def __init__(self, text: str, *, look_again_s: float | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.look_again_s = look_again_s


class Step(ABC, Generic[Context]):
    """One step of a plan. Stateless; the class docstring's first paragraph is shown to the approver."""

    key: str
    title: str
    group: str
    system: str
    undo: str = ""
    is_reversible: bool = True
    notice: str = ""
    # How long a fresh look may take to show a change that was made.
    settle_s: float = 30.0
    # Whether looks may be stale (replicated directories): after a lost worker, wait before changing again.
    reads_may_be_stale: bool = False

    # Whether a try of its own after a failure needs new evidence (a new test), not that of the try before.
    renews_mark: bool = False
    # The later step after whose end this one can no longer be looked at (access that was handed back).
    seen_until: str = ""
    # Whether ``take_back`` can undo what it did; the rest is only told to whoever wants to undo.
    takes_back: bool = False
    # What taking it back loses for good, such as a key that only its file brings back; '' where nothing.
    back_loses: str = ""
    # Who notices when it is taken back; '' where those notice who noticed it before.
    back_notice: str = ""

    @abstractmethod
    def resources(self, context: Context) -> Sequence[str]:
        """Name what nobody else may touch meanwhile, such as ``deployment:3``."""

    @abstractmethod
    def look(self, context: Context, mark: Any) -> Look:
        """Read the state. ``mark`` is None until the intent is written (see ``mark``).

        :raises NotYet: while the outside system is still at work on what this step started.
        """

    @abstractmethod
    def wanted(
        self, context: Context, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        """Say, at plan time, how every field of the look is to be in the end."""

    def mark(self, context: Context, look: Look) -> Any:
        """Give what evidence of an action must be newer than: the target's own clock. None for states."""
        return None

    @abstractmethod
    def change(self, context: Context, look: Look, gaps: Mapping[str, Gap], order: Order) -> None:
        """Close exactly these gaps.

        :param look: the very look that found the gaps: what is expected to be there (an ETag, the
            value before, the keys seen) is taken from it, never from a newer one.
        :raises NeedsPerson: when only a person can go on from here; after that the step only looks.
        """

    def at_work(self, context: Context, order: Order) -> NotYet | None:
        """Tell, once the intent is written, whether an effect of this step is still under way outside.

        Asked whenever a look shows the step unsettled after its intent, before anything is changed
        again or the step ends: an effect that comes later must not find the job ended.
        """
        return None

    def back(self, context: Context, look: Look, done: Done) -> Mapping[str, Value]:
        """Say how every field of the look is to be once this step is taken back.

        What somebody else changed since stays as it is; of a list, so does every entry that is not ours.
        """
        return {
            name: _back(done.before.get(name), done.after.get(name), now)
            for name, now in look.fields.items()
        }

    def take_back(
        self, context: Context, look: Look, gaps: Mapping[str, Gap], order: Order, done: Done
    ) -> None:
        """Close exactly these gaps, which lead back to before; only where ``takes_back`` is set."""
        raise Unplannable(f"{self.title} cannot be taken back.")

    def foreign(self, context: Context, look: Look, done: Done) -> list[str]:
        """Name the fields in which somebody else has changed something since, and that stay for it."""
        return sorted(
            name
            for name, now in look.fields.items()
            if _is_foreign(done.before.get(name), done.after.get(name), now)
        )

    def stays(self, done: Done) -> str:
        """Say what stays although this step is taken back, and why; '' when nothing of it does."""
        return "" if self.takes_back and self.is_reversible else self.undo

    def back_at_work(self, context: Context, order: Order, done: Done) -> NotYet | None:
        """Tell what ``at_work`` tells, for ``take_back``."""
        return None

    def ask(self, context: Context) -> NeedsPerson | None:
        """Give the instruction where a person closes the gaps instead of ``change``; None: the worker does."""
        return None

    def describe(self, context: Context) -> str:
        """Give the title as it stands in the plan, where it depends on the target."""
        return self.title


def _back(before: Value, after: Value, now: Value) -> Value:
    if isinstance(before, list) or isinstance(after, list):
        old, new = list(before or []), list(after or [])
        kept = [entry for entry in now or [] if entry in old or entry not in new]
        return sorted(kept + [entry for entry in old if entry not in new and entry not in kept])
    return before if now == after else now


def _is_foreign(before: Value, after: Value, now: Value) -> bool:
    if isinstance(before, list) or isinstance(after, list):
        old, new = list(before or []), list(after or [])
        come = any(entry not in old and entry not in new for entry in now or [])
        return come or any(entry in new and entry not in (now or []) for entry in old)
    return now not in (before, after)


class Failed(NotSettled):
    """A look's verdict about what this step changed: it does not work, and waiting does not help.

    :param look: the fields as they are, so that what was written can be told apart from what was not.
    """

    def __init__(self, message: str, *, look: Look, remedy: str = "", code: str = "") -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.look = look


class Unplannable(PortalError):
    """The plan cannot be made from what was found; message and remedy say why."""

    code = "SSS-PLAN"
