"""What a simulated system is asked and what it answers."""

from __future__ import annotations

import email.message
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass
class Request:
    """One HTTP request.

    ``target`` is path and query as sent; ``path`` is the decoded path and ``query`` the decoded query
    (the last value of a repeated name). ``connection`` lives as long as the TCP connection: sign-in
    by NTLM is bound to it. ``is_silent`` asks the system to answer success without any effect,
    ``stale_s`` to read from the state of so many seconds ago.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    connection: dict[str, object] = field(default_factory=dict)
    is_silent: bool = False
    stale_s: float = 0.0
    in_batch: bool = False

    @property
    def what(self) -> str:
        """What dials match on: ``METHOD path?query``, as sent."""
        return f"{self.method} {self.target}"

    @property
    def path(self) -> str:
        return urllib.parse.unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """The body as an HTML form."""
        text = self.body.decode("utf-8", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))

    def header(self, name: str) -> str:
        """The value of a header, empty if it was not sent."""
        return self.headers.get(name) or ""

    def json(self) -> object:
        """The body as JSON.

        :raises ValueError: it is none.
        """
        return json.loads(self.body.decode("utf-8"))

    def bearer(self) -> str:
        """The bearer token, empty if there is none."""
        scheme, _, token = self.header("Authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass
class Response:
    """One HTTP response; ``must_close`` ends the connection after it."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    must_close: bool = False

    @classmethod
    def of_json(
        cls, value: object, status: int = 200, content_type: str = "application/json"
    ) -> Response:
        """Make a response of a value as JSON in UTF-8."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, [("Content-Type", f"{content_type}; charset=utf-8")])

    @classmethod
    def of_html(cls, page: str, status: int = 200) -> Response:
        return cls(status, page.encode(), [("Content-Type", "text/html; charset=utf-8")])

    @classmethod
    def redirect(cls, location: str) -> Response:
        return cls(302, b"", [("Location", location)])

    def with_header(self, name: str, value: str) -> Response:
        """Add a header, and give the response itself back."""
        self.headers.append((name, value))
        return self


class System(Protocol):
    """A simulated web system."""

    def answer(self, request: Request) -> Response:
        """Do what the request asks."""

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        """An error in this system's own shape; empty code and message: its usual ones."""


def headers_of(raw: email.message.Message) -> dict[str, str]:
    """Header fields by name; names compare without case."""
    return CaseBlind((name, value) for name, value in raw.items())


class CaseBlind(dict[str, str]):
    """Header fields whose names compare without case."""

    def __init__(self, pairs: object = ()) -> None:
        super().__init__()
        for name, value in dict(pairs).items():  # type: ignore[call-overload]
            self[name] = value

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(name.lower(), default)
