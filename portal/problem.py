"""A failure as every page shows it: what happened, the state now, how to fix it, and text for a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from portal.errors import GatewayError, PortalError


@dataclass(frozen=True)
class Problem:
    """What the partial ``_problem.html`` shows.

    :param fix: one line a step.
    :param detail: sanitised evidence of the outside system: status, code, request id.
    :param place: where it happened, for the ticket: job, step, organization.
    """

    message: str
    code: str = ""
    state_now: str = ""
    fix: tuple[str, ...] = ()
    system: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    drift: tuple[Mapping[str, Any], ...] = ()
    place: str = ""
    request_number: str = ""
    at: datetime | None = None

    @property
    def ticket(self) -> str:
        """Give the plain text that goes into a ticket; no secret and no mailbox content is in it."""
        moment = f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.at else ""
        rows = [
            ", ".join(filter(None, ["SSS Portal", self.place, moment])),
            f"{self.code}  {self.message}".strip(),
            f"System: {self.system}" if self.system else "",
            *(f"{name}: {value}" for name, value in self.detail.items()),
            *(f"Changed by somebody else: {row.get('field')}" for row in self.drift),
            f"State now: {self.state_now}" if self.state_now else "",
            *(f"Fix {number}: {line}" for number, line in enumerate(self.fix, 1)),
            f"Request {self.request_number}" if self.request_number else "",
        ]
        return "\n".join(row for row in rows if row)


def problem_of_error(
    error: PortalError, *, request_number: str, at: datetime, place: str, changing: bool
) -> Problem:
    """Shape a failure that ended a request.

    :param changing: whether it was to change something; an action is one transaction, so nothing stayed.
    """
    return Problem(
        message=error.message,
        code=error.code,
        state_now="Nothing was changed by this request." if changing else "",
        fix=lines(error.remedy),
        system=error.system if isinstance(error, GatewayError) else "",
        detail=error.detail if isinstance(error, GatewayError) else {},
        place=place,
        request_number=request_number,
        at=at,
    )


def problem_of_failure(failure: Mapping[str, Any], *, place: str, at: datetime | None) -> Problem:
    """Shape what ended or stopped a job: its ``failure`` column."""
    return Problem(
        message=str(failure.get("message", "")),
        code=str(failure.get("code", "")),
        state_now=str(failure.get("state_now", "")),
        fix=lines(str(failure.get("fix", ""))),
        system=str(failure.get("system", "")),
        detail={str(name): str(value) for name, value in failure.get("detail", {}).items()},
        drift=tuple(failure.get("drift", ())),
        place=place,
        at=at,
    )


def lines(text: str) -> tuple[str, ...]:
    """Give the steps of a remedy: its lines, without the empty ones."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
