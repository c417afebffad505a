"""What a check noticed on the way to its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.jobs.checks import Found
from portal.jobs.states import Verdict


class Findings:
    """Collects what stands in the way and what is worth a warning, and makes one answer of it.

    :ivar evidence: what was read, by name; no secret.
    """

    def __init__(self) -> None:
        self.evidence: dict[str, Any] = {}
        self._in_the_way: list[str] = []
        self._warnings: list[str] = []
        self._fix: dict[Verdict, list[str]] = {Verdict.BLOCK: [], Verdict.WARN: []}

    def block(self, what: str, *fix: str) -> None:
        """Note what stands in the way: part of a sentence, and how to put it right, a line a step."""
        self._in_the_way.append(what)
        self._fix[Verdict.BLOCK] += fix

    def warn(self, what: str, *fix: str) -> None:
        """Note what a person should know before going on."""
        self._warnings.append(what)
        self._fix[Verdict.WARN] += fix

    def found(self, good: str) -> Found:
        """Give the answer: the worst that was noticed, or ``good`` where nothing was."""
        problems = [*self._in_the_way, *self._warnings]
        if not problems:
            return Found(Verdict.PASS, good, self.evidence)
        verdict = Verdict.BLOCK if self._in_the_way else Verdict.WARN
        fix = dict.fromkeys([*self._fix[Verdict.BLOCK], *self._fix[Verdict.WARN]])
        return Found(verdict, sentence("; ".join(problems)), self.evidence, "\n".join(fix))


def sentence(text: str) -> str:
    """Make a sentence of a part of one."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def listed(names: Sequence[str]) -> str:
    """Write names in a row: "A, B and C"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 key, 2 keys."""
    plural = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def short(thumbprint: str) -> str:
    """Write the end of a thumbprint, by which people tell certificates apart."""
    return f"…{thumbprint[-4:]}"
