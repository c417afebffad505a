"""How a fault strikes a request to a CRM server: below HTTP, instead of an answer, or after it."""

from __future__ import annotations

from dataclasses import dataclass

CONTRACT_DIALS = frozenset(
    {
        "virtual_account",
        "deployment_service_unreachable",
        "script_drops_readers",
        "script_fails",
        "script_killed",
        "imports_as_cng",
        "twin_subject",
        "cannot_update_token_issuer",
        "hangs_in_stopping",
        "session_cut",
    }
)
"""Names of the contract's own dials; see README.md."""


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
