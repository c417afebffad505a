"""The one place where a status, or an exception of requests, becomes an error of the portal."""

from __future__ import annotations

import email.utils
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import requests
import urllib3

from portal.errors import (
    Conflict,
    Garbled,
    GatewayError,
    Missing,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)

_SECRETS = (
    (re.compile(r"eyJ[\w-]{6,}\.[\w-]+(\.[\w-]*)?"), "[token]"),
    (re.compile(r"(?i)\b(bearer|negotiate|ntlm|basic)\s+[\w+/=.~-]{12,}"), r"\1 [token]"),
    (re.compile(r"[A-Za-z0-9+/_-]{100,}={0,2}"), "[data]"),
    (re.compile(r"(https?://[^\s?#\"']+)[?#][^\s\"']*"), r"\1?[…]"),
)
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class Origin:
    """Who answers, for messages.

    :ivar system: in words for a person, such as "Microsoft Graph".
    :ivar prefix: middle of the error code, such as GRAPH.
    :ivar remedies: how to go on, by error code of the system or by status.
    :ivar kinds: classes of error codes whose status says something else.
    """

    system: str
    prefix: str
    remedies: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, type[GatewayError]] = field(default_factory=dict)

    def knowing(self, remedies: Mapping[str, str]) -> Origin:
        """The same system with further remedies, which win."""
        return replace(self, remedies={**self.remedies, **remedies})

    def code(self, ending: str | int) -> str:
        """The portal's error code, such as SSS-GRAPH-403."""
        return f"SSS-{self.prefix}-{ending}"


def clean(text: str, limit: int = 400) -> str:
    """Make another system's words fit to show: one line, no tokens, no data, no URL queries."""
    text = " ".join(_INVISIBLE.sub(" ", text[: 4 * limit]).split())
    for pattern, stand_in in _SECRETS:
        text = pattern.sub(stand_in, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read Retry-After: seconds (Graph sends fractions) or an HTTP date; None if absent or unreadable.

    A date is taken against the answer's own Date, so that a wrong clock here does not matter.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    later = http_date(value)
    since = http_date(headers.get("Date", "")) or now or datetime.now(UTC)
    return max(0.0, (later - since).total_seconds()) if later else None


def http_date(value: str) -> datetime | None:
    """Read a date as HTTP writes it; None if it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def from_status(
    origin: Origin,
    status: int,
    *,
    code: str = "",
    words: str = "",
    headers: Mapping[str, str] | None = None,
    detail: Mapping[str, str] | None = None,
) -> GatewayError:
    """Turn an answer that is no success into an error.

    :param code: the system's own error code, such as Authorization_RequestDenied.
    :param words: the system's own message; cleaned here.
    :param detail: request ids and the like.
    """
    said = ": ".join(part for part in (clean(code, 100), clean(words)) if part)
    evidence = {"status": str(status), "error_code": clean(code, 100), "answer": clean(words)}
    evidence |= dict(detail or {})
    told = f" ({status} {said})" if said else f" ({status})"
    kind, sentence, remedy = _KINDS.get(status) or _kind_of(status)
    kind = origin.kinds.get(code, kind)
    rest: dict[str, object] = {
        "remedy": origin.remedies.get(code) or origin.remedies.get(str(status)) or remedy,
        "code": origin.code(status),
        "system": origin.system,
        "detail": {name: value for name, value in evidence.items() if value},
    }
    if issubclass(kind, Throttled | Unreachable):
        rest["retry_after_s"] = retry_after_s(headers or {})
    if issubclass(kind, Rejected):
        rest["changed"] = "Unknown" if status >= 500 else "No"
    return kind(f"{origin.system} {sentence}{told}.", **rest)  # type: ignore[arg-type]


_Kind = tuple[type[GatewayError], str, str]
_AGAIN = "Wait; the portal tries again by itself."
_KINDS: dict[int, _Kind] = {
    401: (Refused, "does not accept the sign-in", "Check the account or app and its secret."),
    403: (Refused, "does not allow this", "Give the account or app the permission it lacks."),
    404: (Missing, "does not have what was asked for", "Check the address and the name."),
    407: (Refused, "cannot be reached: the proxy wants a sign-in", "Check the outbound proxy."),
    408: (Unreachable, "did not get the whole request in time", _AGAIN),
    409: (Conflict, "says that this changed in the meantime", "Look again, then decide again."),
    410: (Missing, "no longer has what was asked for", "Check the address and the name."),
    412: (Conflict, "says that this changed in the meantime", "Look again, then decide again."),
    429: (Throttled, "asks to be left alone for a while", _AGAIN),
    502: (Unreachable, "could not be reached by its own gateway", _AGAIN),
    503: (Throttled, "is not available at the moment", _AGAIN),
    504: (Unreachable, "did not answer its own gateway in time", _AGAIN),
}


def _kind_of(status: int) -> _Kind:
    if 300 <= status < 400:
        remedy = "Enter the address that the system itself answers on; redirects are not followed."
        return Rejected, "answers with a redirect", remedy
    if status >= 500:
        remedy = "Look at what the system logged; the portal looks before it changes anything."
        return Rejected, "failed while it worked on the request", remedy
    return Rejected, "turned the request down", "Read the answer below and correct what it names."


def from_exception(
    origin: Origin, error: Exception, *, sent: bool, forbidden: str = ""
) -> GatewayError:
    """Turn an exception of requests or urllib3 into an error.

    :param sent: something of the request may have reached the other side.
    :param forbidden: why the address was refused.
    """
    if forbidden:
        return Refused(
            f"{origin.system} is at {forbidden}, which is never contacted.",
            remedy="Correct the address, or the name server's answer for it.",
            code=origin.code("ADDRESS"),
            system=origin.system,
        )
    if _is_truncated(error):
        return garbled(origin, "the answer broke off in the middle")
    reason = _reason(error, sent=sent)
    return Unreachable(
        f"{origin.system} {reason.sentence}.",
        sent=sent,
        remedy=origin.remedies.get(reason.ending) or reason.remedy,
        code=origin.code(reason.ending),
        system=origin.system,
        detail={"cause": type(_root(error)).__name__, "sent": "maybe" if sent else "no"},
    )


def late(origin: Origin, *, sent: bool, seconds: float) -> Unreachable:
    """The whole request took longer than it may."""
    return Unreachable(
        f"{origin.system} did not finish its answer within {seconds:g} seconds.",
        sent=sent,
        remedy=_AGAIN,
        code=origin.code("TIMEOUT"),
        system=origin.system,
        detail={"cause": "deadline", "sent": "maybe" if sent else "no"},
    )


def garbled(origin: Origin, what: str, detail: Mapping[str, str] | None = None) -> Garbled:
    """An answer that cannot be read; ``what`` completes "… : …"."""
    return Garbled(
        f"The answer of {origin.system} cannot be read: {what}.",
        remedy="Check that the address is the system's own and no proxy or sign-in page answers.",
        code=origin.code("GARBLED"),
        system=origin.system,
        detail=detail,
    )


@dataclass(frozen=True)
class _Reason:
    """Why there was no answer: end of the code, end of the sentence, remedy."""

    ending: str
    sentence: str
    remedy: str


_PROXY = _Reason(
    "PROXY",
    "cannot be reached: the outbound proxy does not let it through",
    "Check the outbound proxy and allow the portal to reach this system.",
)
_TLS = _Reason(
    "TLS",
    "cannot be reached safely: its TLS certificate is not accepted",
    "Name the CA file that issued its certificate, and reach it by a name in the certificate.",
)
_SILENCE = _Reason("TIMEOUT", "did not answer in time", _AGAIN)
_DNS = _Reason(
    "DNS",
    "cannot be reached: its name is not known",
    "Correct the host name, or make the name server know it.",
)
_CLOSED = _Reason(
    "UNREACHABLE",
    "cannot be reached: nothing listens at its address",
    "Start the system, and open the port between the portal and it.",
)
_DROPPED = _Reason("DROPPED", "broke the connection off before it had answered", _AGAIN)
_NETWORK = _Reason(
    "UNREACHABLE",
    "cannot be reached: the connection failed",
    "Check the network between the portal and the system.",
)


def _reason(error: Exception, *, sent: bool) -> _Reason:
    root = _root(error)
    if isinstance(error, requests.exceptions.ProxyError):
        return _PROXY
    if isinstance(error, requests.Timeout) or isinstance(root, TimeoutError):
        return _SILENCE
    if sent:
        # Also TLS errors: the handshake is over by now.
        return _DROPPED
    if isinstance(root, ssl.SSLError) or isinstance(error, requests.exceptions.SSLError):
        return _TLS
    if isinstance(root, socket.gaierror) or "NameResolution" in type(root).__name__:
        return _DNS
    return _CLOSED if isinstance(root, ConnectionRefusedError) else _NETWORK


def _root(error: BaseException) -> BaseException:
    """The first cause: requests wraps urllib3's exceptions as arguments, not only as causes."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = getattr(error, "reason", None) or next(
            (part for part in error.args if isinstance(part, BaseException)), None
        )
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error
    return error


def _is_truncated(error: Exception) -> bool:
    inner = next((part for part in error.args if isinstance(part, Exception)), error)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return True
    if isinstance(error, urllib3.exceptions.DecodeError | urllib3.exceptions.InvalidChunkLength):
        return True
    root = _root(error)
    names = {type(part).__name__ for part in (error, inner, root)}
    return "IncompleteRead" in names
