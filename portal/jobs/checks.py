"""What a check is: it looks, and says what that means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic

from portal.jobs.states import Verdict
from portal.jobs.step import Context


@dataclass(frozen=True)
class Found:
    """The answer of one check.

    :param finding: one sentence: what was found.
    :param evidence: what was read, by name; no secret.
    :param fix: how to put it right, in the imperative; one line a step.
    """

    verdict: Verdict
    finding: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    fix: str = ""


class Check(ABC, Generic[Context]):
    """One prerequisite. Reads only."""

    key: ClassVar[str]
    title: ClassVar[str]
    group: ClassVar[str]
    source: ClassVar[str] = ""

    @abstractmethod
    def find(self, context: Context) -> Found:
        """Look and judge. A PortalError becomes *cannot check*, with its message and remedy."""
