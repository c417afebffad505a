"""How plans and checks read: from rows to words. Pure: no query, no request, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from portal.jobs.field_words import Words, words_of
from portal.jobs.lines import Line, Op, counted, lines_of, pairs_of
from portal.jobs.models import CheckResult, PlanStep
from portal.jobs.states import Look, Verdict, look_of

_LONG_EVIDENCE = 160  # characters; more is folded


@dataclass(frozen=True)
class ShownStep:
    """One step of a plan with its lines, and what its author says of it."""

    position: int
    key: str
    title: str
    system: str
    lines: tuple[Line, ...]
    undo: str
    is_reversible: bool
    notice: str
    evidence: tuple[tuple[str, str], ...]
    about: str = ""
    source: str = ""

    @property
    def changes(self) -> int:
        return sum(line.op is not Op.KEEP for line in self.lines)

    @property
    def is_evidence_long(self) -> bool:
        """Whether the evidence would stand in the way of the change itself."""
        return sum(len(name) + len(value) for name, value in self.evidence) > _LONG_EVIDENCE


@dataclass(frozen=True)
class ShownGroup:
    """Neighbouring steps of one group, in the order they run."""

    number: int
    title: str
    steps: tuple[ShownStep, ...]

    @property
    def systems(self) -> str:
        return ", ".join(dict.fromkeys(step.system for step in self.steps))

    @property
    def words(self) -> str:
        changes = sum(step.changes for step in self.steps)
        removed = any(line.op is Op.REMOVE for step in self.steps for line in step.lines)
        if not changes:
            return "nothing to change"
        return f"{counted(changes, 'change')}{'' if removed else ', nothing removed'}"


@dataclass(frozen=True)
class ShownPlan:
    """A whole plan as requester and approver read it: the same text for both."""

    digest: str
    made_at: datetime
    groups: tuple[ShownGroup, ...]

    @property
    def steps(self) -> list[ShownStep]:
        return [step for group in self.groups for step in group.steps]

    @property
    def words(self) -> str:
        """Say how much changes: "11 changes: 6 add, 5 change, 0 remove"."""
        ops = Counter(line.op for step in self.steps for line in step.lines)
        total = ops[Op.ADD] + ops[Op.CHANGE] + ops[Op.REMOVE]
        if not total:
            return "nothing to change: all is as wanted already"
        return (
            f"{counted(total, 'change')}: {ops[Op.ADD]} add, {ops[Op.CHANGE]} change, "
            f"{ops[Op.REMOVE]} remove"
        )

    @property
    def for_good(self) -> list[ShownStep]:
        """Give the steps whose changes cannot be taken back."""
        return [step for step in self.steps if not step.is_reversible and step.changes]


@dataclass(frozen=True)
class ShownCheck:
    """One check with its verdict; ``fix`` is one line a step."""

    title: str
    group: str
    verdict: Verdict
    look: Look
    finding: str
    evidence: tuple[tuple[str, str], ...]
    fix: tuple[str, ...]
    source: str
    checked_at: datetime


@dataclass(frozen=True)
class ShownChecks:
    """All checks of a job, what needs somebody first."""

    problems: tuple[ShownCheck, ...]
    passed: tuple[ShownCheck, ...]

    @property
    def stopping(self) -> list[ShownCheck]:
        return [check for check in self.problems if check.verdict != Verdict.WARN]

    @property
    def total(self) -> int:
        return len(self.problems) + len(self.passed)

    @property
    def checked_at(self) -> datetime | None:
        """Give the age of the oldest answer: no result is younger than it looks."""
        return min((check.checked_at for check in self.problems + self.passed), default=None)

    @property
    def words(self) -> str:
        found = Counter(check.verdict for check in self.problems)
        parts = [
            (found[Verdict.BLOCK], "in the way"),
            (found[Verdict.CANNOT_CHECK], "could not be checked"),
            (found[Verdict.TO_RECORD], "to be recorded"),
            (found[Verdict.WARN], "warning" if found[Verdict.WARN] == 1 else "warnings"),
        ]
        return ", ".join(
            [f"{number} {word}" for number, word in parts if number]
            + [f"{len(self.passed)} passed"]
        )


_ORDER = (Verdict.BLOCK, Verdict.CANNOT_CHECK, Verdict.TO_RECORD, Verdict.WARN)


def plan_of(
    digest: str,
    made_at: datetime,
    rows: Iterable[PlanStep],
    about: Mapping[str, tuple[str, str]],
) -> ShownPlan:
    """Write a plan's rows, given in the order they run.

    :param about: by step key: what its author says of it, and the address of the source.
    """
    steps = list(rows)
    positions = {step.key: step.position for step in steps}
    groups = [
        ShownGroup(number, title, tuple(_step(step, positions, about) for step in members))
        for number, (title, members) in enumerate(groupby(steps, key=lambda step: step.group), 1)
    ]
    return ShownPlan(digest, made_at, tuple(groups))


def _step(
    row: PlanStep, positions: Mapping[str, int], about: Mapping[str, tuple[str, str]]
) -> ShownStep:
    said, source = about.get(row.key, ("", ""))
    words = words_of(row.key)
    return ShownStep(
        position=row.position,
        key=row.key,
        title=row.title,
        system=row.system,
        lines=lines_of(row.before, row.wanted, positions, words),
        undo=row.undo,
        is_reversible=row.is_reversible,
        notice=row.notice,
        evidence=pairs_of(row.shown, words),
        about=said,
        source=source,
    )


def checks_of(rows: Iterable[CheckResult]) -> ShownChecks:
    """Write the results of checks, given in their order; those that need somebody come first."""
    shown = [_check(row) for row in rows]
    problems = sorted(
        (check for check in shown if check.verdict != Verdict.PASS),
        key=lambda check: _ORDER.index(check.verdict),
    )
    passed = [check for check in shown if check.verdict == Verdict.PASS]
    return ShownChecks(tuple(problems), tuple(passed))


def _check(row: CheckResult) -> ShownCheck:
    verdict = Verdict(row.verdict)
    return ShownCheck(
        title=row.title,
        group=row.group,
        verdict=verdict,
        look=look_of(verdict),
        finding=row.finding,
        evidence=pairs_of(row.evidence),
        fix=tuple(line.strip() for line in row.fix.splitlines() if line.strip()),
        source=row.source,
        checked_at=row.checked_at,
    )


@dataclass(frozen=True)
class Difference:
    """What differs between two plans of one job, step by step."""

    title: str
    lines: tuple[Line, ...]


def difference_of(old: Iterable[PlanStep], new: Iterable[PlanStep]) -> tuple[Difference, ...]:
    """Tell what another plan wants otherwise: the approver has read ``old``, the job now has ``new``."""
    before = {step.key: step for step in old}
    after = {step.key: step for step in new}
    found = []
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one is not None and other is not None:
            words = words_of(key)
            lines = _moved("found", one.before, other.before, words)
            lines += _moved("wanted", one.wanted, other.wanted, words)
            if lines:
                found.append(Difference(other.title, tuple(lines)))
        elif other is not None:
            found.append(Difference(other.title, (Line(Op.ADD, "this step"),)))
        elif one is not None:
            found.append(Difference(one.title, (Line(Op.REMOVE, "this step"),)))
    return tuple(found)


def _moved(what: str, old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> list[Line]:
    lines = lines_of(old, new, words=words)
    return [
        replace(line, field=f"{what}: {line.field}") for line in lines if line.op is not Op.KEEP
    ]
