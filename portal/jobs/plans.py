"""The kinds of plans that exist. Apps register theirs at start; the engine knows none by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from portal.access.models import Person, Scope
from portal.errors import NotFound
from portal.jobs.checks import Check
from portal.jobs.models import Job
from portal.jobs.step import Step


class PlanKind(ABC):
    """A list of steps with a name: connect-organization and its like."""

    slug: ClassVar[str]
    title: ClassVar[str]
    # Raised whenever steps, fields or their meaning change: older plans then end as out of date.
    version: ClassVar[int]
    # Whether it writes to an outside system: then somebody else must approve.
    writes: ClassVar[bool] = True
    # Whether a policy may be set for it; else it is approved as another kind is.
    has_policy: ClassVar[bool] = True
    steps: ClassVar[tuple[Step[Any], ...]]
    checks: ClassVar[tuple[Check[Any], ...]] = ()
    who_notices: ClassVar[str] = ""
    not_touched: ClassVar[str] = ""

    @abstractmethod
    def open(self, job: Job, made: dict[str, dict[str, str]]) -> AbstractContextManager[Any]:
        """Open what the steps work with; closed when the step ends.

        :param made: what earlier steps of this job made, by step key.
        """

    def open_to_undo(
        self, job: Job, of_then: dict[str, dict[str, str]], made: dict[str, dict[str, str]]
    ) -> AbstractContextManager[Any]:
        """Open what taking this job's steps back works with.

        :param of_then: what the job's steps had made; :param made: what those of the undo have made.
        """
        return self.open(job, of_then | made)

    @abstractmethod
    def target(self, job: Job) -> dict[str, Any]:
        """Say what the plan is about, for its digest: ids and exact names."""

    def clean_inputs(self, scope: Scope, inputs: dict[str, Any], *, by: Person) -> dict[str, Any]:
        """Check what a requester chose and give it in its kept form.

        :raises BadInput: with the field that is wrong.
        """
        return inputs

    def headline(self, job: Job) -> str:
        """Give the job's title for people."""
        return f"{self.title}: {job.scope.title}"

    def wizard_url(self, job: Job) -> str | None:
        """Give the page on which a draft of this kind is worked on; None where it has none of its own."""
        return None

    def uploader(self, job: Job) -> Person | None:
        """Name who brought the secret material, so that they do not approve it."""
        return None

    def secret_ids(self, job: Job) -> list[str]:
        """Name the secret versions the plan uses; replacing one voids the plan."""
        return []

    def approved_as(self, job: Job) -> str:
        """Name the kind by whose policy this job is approved: its own."""
        return self.slug

    def proof(self, job: Job) -> str:
        """Give what the approver types from a second channel, or ''."""
        return ""

    def steps_of(self, job: Job) -> Sequence[Step[Any]]:
        """Give the steps of a plan for this job, in the order they run."""
        return self.steps

    def step(self, job: Job, key: str) -> Step[Any] | None:
        """Give the step of that key, or None when this release has none."""
        return next((step for step in self.steps_of(job) if step.key == key), None)

    def backwards(self, steps: Sequence[Step[Any]]) -> Sequence[Step[Any]]:
        """Give the order in which steps are taken back, with the steps that taking them back needs in between."""
        return tuple(reversed(steps))


class ReadingKind(PlanKind):
    """A kind that writes nothing outside: it reads, and keeps what it read. Nobody needs to approve it."""

    writes = False
    has_policy = False
    steps = ()

    @abstractmethod
    def observe(self, context: Any) -> Any:
        """Read; what it gives goes to ``keep``."""

    @abstractmethod
    def keep(self, job: Job, facts: Any) -> None:
        """Write what ``observe`` read into the app's own rows, inside the engine's transaction."""


class UnknownKind(NotFound):
    """This release has no plan of that name."""

    code = "SSS-PLAN-KIND"


_kinds: dict[str, PlanKind] = {}


def register(kind: PlanKind) -> None:
    """Make a kind known.

    :raises ValueError: when a step or check stands in it twice.
    """
    for keys in ([step.key for step in kind.steps], [check.key for check in kind.checks]):
        if len(keys) != len(set(keys)):
            raise ValueError(f"Plan {kind.slug} names a step or check twice.")
    _kinds[kind.slug] = kind


def kind_of(slug: str) -> PlanKind:
    """Give the kind of that name.

    :raises UnknownKind: when this release has none.
    """
    try:
        return _kinds[slug]
    except KeyError:
        raise UnknownKind(f"This release of the portal has no plan {slug}.") from None


def kind_or_none(slug: str) -> PlanKind | None:
    """Give the kind of that name, or None when this release no longer has it: its jobs stay readable."""
    return _kinds.get(slug)


def kinds() -> list[PlanKind]:
    """Give all kinds, by title."""
    return sorted(_kinds.values(), key=lambda kind: kind.title)
