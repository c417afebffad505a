"""How a fault strikes a request to a CRM server: below HTTP, instead of an answer, or after it."""

from __future__ import annotations

from dataclasses import dataclass

BEFORE = frozenset({"status", "timeout_before", "html", "drop"})
"""Faults that strike before the command starts; drop only without ``after``."""


class NoAnswer(Exception):
    """Keep the connection open for so many seconds and say nothing."""

    def __init__(self, seconds: float) -> None:
        super().__init__("no answer")
        self.seconds = seconds


class Dropped(Exception):
    """Close the connection without an answer."""


@dataclass
class PlainAnswer(Exception):
    """An HTTP answer that is no WS-Management message."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()
