"""How a command ends: its exit code, and what it prints for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from portal.errors import BadInput, GatewayError, NotAllowed, NotFound, Outpaced, PortalError


class Exit(IntEnum):
    """The exit codes of every command; ``docs/command-line.md`` lists them."""

    DONE = 0
    FAILED = 1
    CANNOT_RUN = 2
    NOT_ALLOWED = 3
    MOVED_ON = 4
    NO_ANSWER = 5
    NEEDS_PERSON = 6


@dataclass(frozen=True)
class Outcome:
    """What came of a command.

    :param facts: for programs: JSON values, instants aware. :param text: the same for people.
    :param is_last_line: the command has printed JSON lines before, so this is one line too.
    """

    facts: Mapping[str, Any]
    text: str
    exit: Exit = Exit.DONE
    is_last_line: bool = field(default=False)


_EXITS: tuple[tuple[type[PortalError], Exit], ...] = (
    (BadInput, Exit.CANNOT_RUN),
    (NotFound, Exit.CANNOT_RUN),
    (NotAllowed, Exit.NOT_ALLOWED),
    (Outpaced, Exit.MOVED_ON),
    (GatewayError, Exit.NO_ANSWER),
)


def exit_of(error: PortalError) -> Exit:
    """Give the exit code of a failure."""
    return next((code for kind, code in _EXITS if isinstance(error, kind)), Exit.FAILED)


def failure_facts(error: PortalError, request: str) -> dict[str, Any]:
    """Write a failure for programs: code, message, state_now, fix and where it belongs."""
    found: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "state_now": _state_now(error),
        "fix": _lines(error.remedy),
        "field": error.field if isinstance(error, BadInput) else "",
        "system": error.system if isinstance(error, GatewayError) else "",
        "detail": error.detail if isinstance(error, GatewayError) else {},
        "request": request,
    }
    return {"error": {name: value for name, value in found.items() if value}}


def failure_text(error: PortalError, request: str) -> str:
    """Write a failure for people: what happened, the state now, how to go on."""
    lines = [f"{error.message} ({error.code})", f"State now: {_state_now(error)}"]
    fixes = _lines(error.remedy)
    lines += [f"To do: {fixes[0]}"] if len(fixes) == 1 else []
    lines += [f"To do {n}: {fix}" for n, fix in enumerate(fixes, 1)] if len(fixes) > 1 else []
    return "\n".join([*lines, f"Request {request}"])


def _state_now(error: PortalError) -> str:
    # An action is one transaction, so a refused one leaves nothing behind.
    return str(getattr(error, "state_now", "Nothing was changed."))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def as_json(facts: Mapping[str, Any], *, in_one_line: bool = False) -> str:
    """Write JSON: instants in ISO 8601, UTC."""
    return json.dumps(
        facts, cls=DjangoJSONEncoder, ensure_ascii=False, indent=None if in_one_line else 1
    )
