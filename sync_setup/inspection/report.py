"""The report of an inspection, and how the child's answer becomes one.

The answer is not trusted: whoever took over the child could have written it. So every field is
checked for its type and length, codes must be known, and the verdict is drawn here.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sync_setup.inspection.codes import CODES, Severity
from sync_setup.inspection.reasons import wording

Verdict = Literal["accept", "warn", "reject"]

_LONGEST_TEXT = 4000
_LONGEST_LIST = 100
_HEX = re.compile(r"[0-9A-F]*")
_RANK: dict[Severity, int] = {"accept": 0, "warn": 1, "reject": 2}


@dataclass(frozen=True)
class Message:
    """One code in words."""

    code: str
    severity: Severity
    title: str
    explanation: str
    fix: str


@dataclass(frozen=True)
class ChainLink:
    """A certificate in the file beside the leaf; the leaf's issuer comes first."""

    subject: str
    issuer: str
    thumbprint_sha1: str
    thumbprint_sha256: str
    not_before: dt.datetime | None
    not_after: dt.datetime | None
    signature: str
    is_self_signed: bool
    is_valid_now: bool


@dataclass(frozen=True)
class Packing:
    """How the file itself is made.

    :ivar algorithms: encryption of its parts, in words; ``none`` for a part in the open.
    :ivar iterations: iteration counts in the same parts.
    :ivar encoding: DER, BER, utf16 or bare_base64.
    """

    algorithms: tuple[str, ...] = ()
    iterations: tuple[int, ...] = ()
    mac: str = ""
    mac_iterations: int = 0
    encoding: str = ""


@dataclass(frozen=True)
class Report:
    """What an inspection found. Safe to show, log and keep: no secret, no control character.

    Facts of the certificate are empty or None where inspection ended before they could be read.

    :ivar at: the instant for which validity was judged.
    :ivar thumbprint_sha1: 40 upper-case hexadecimal digits, as Windows and Dynamics show it.
    :ivar key_spec: KeySpec that the file wishes for: 1, 2, or None where it does not say.
    :ivar csp: name of the Windows provider in the file, empty for none.
    :ivar key_usage, eku: None where the certificate does not limit its use.
    :ivar der: the certificate itself, public part only.
    """

    verdict: Verdict
    codes: tuple[str, ...]
    messages: tuple[Message, ...]
    at: dt.datetime
    thumbprint_sha1: str = ""
    thumbprint_sha256: str = ""
    subject: str = ""
    issuer: str = ""
    serial: str = ""
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    days_left: int | None = None
    key_type: str = ""
    key_bits: int = 0
    signature: str = ""
    csp: str = ""
    key_spec: int | None = None
    san: tuple[str, ...] = ()
    key_usage: tuple[str, ...] | None = None
    eku: tuple[str, ...] | None = None
    chain: tuple[ChainLink, ...] = ()
    container: Packing = field(default_factory=Packing)
    der: bytes = field(default=b"", repr=False)

    @property
    def is_fit(self) -> bool:
        """Whether the certificate may be used, with or without warnings."""
        return self.verdict != "reject"

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON; instants in UTC with a ``Z``, what is unknown as null."""
        plain: dict[str, Any] = _plain(asdict(self))
        plain["der"] = base64.b64encode(self.der).decode("ascii")
        optional = ("thumbprint_sha1", "thumbprint_sha256", "subject", "issuer", "serial")
        for name in (*optional, "key_type", "key_bits", "signature", "csp", "der"):
            plain[name] = plain[name] or None
        return plain


def report_of(answer: Mapping[str, Any], at: dt.datetime) -> Report:
    """The report for an answer of the child.

    :raises ValueError: it is not what our child would say.
    """
    codes = _texts(answer.get("codes"))
    if any(code not in CODES for code in codes):
        raise ValueError("an unknown code")
    not_after = _instant(answer.get("not_after"))
    days_left = (not_after - at).days if not_after else None
    messages = _messages(
        codes, _text(answer.get("detail")), _text(answer.get("unsupported")), days_left
    )
    key_spec = answer.get("key_spec")
    return Report(
        verdict=max((m.severity for m in messages), key=_RANK.__getitem__, default="accept"),
        codes=codes,
        messages=messages,
        at=at,
        thumbprint_sha1=_hexadecimal(answer.get("thumbprint_sha1")),
        thumbprint_sha256=_hexadecimal(answer.get("thumbprint_sha256")),
        subject=_text(answer.get("subject")),
        issuer=_text(answer.get("issuer")),
        serial=_text(answer.get("serial")),
        not_before=_instant(answer.get("not_before")),
        not_after=not_after,
        days_left=days_left,
        key_type=_text(answer.get("key_type")),
        key_bits=_number(answer.get("key_bits")),
        signature=_text(answer.get("signature")),
        csp=_text(answer.get("csp")),
        key_spec=key_spec if key_spec in (1, 2) else None,
        san=_texts(answer.get("san")),
        key_usage=_texts(answer["key_usage"]) if answer.get("key_usage") is not None else None,
        eku=_texts(answer["eku"]) if answer.get("eku") is not None else None,
        chain=tuple(_link(link) for link in _list(answer.get("chain"))),
        container=_packing(answer.get("container") or {}),
        der=_bytes(answer.get("der")),
    )


def stopped_report(at: dt.datetime) -> Report:
    """The report for an inspection that its limits ended."""
    return report_of({"codes": ["inspection_timeout"]}, at)


def too_large_report(at: dt.datetime) -> Report:
    """The report for a file that is not opened because of its size."""
    return report_of({"codes": ["file_too_large"]}, at)


def _messages(
    codes: tuple[str, ...], detail: str, unsupported: str, days_left: int | None
) -> tuple[Message, ...]:
    messages = []
    for code in codes:
        words = wording(code, detail, days_left)
        explanation = words.explanation
        if code == "unsupported_algorithm" and unsupported:
            explanation = f"{explanation.rstrip('.')} ({unsupported})."
        messages.append(Message(code, words.severity, words.title, explanation, words.fix))
    return tuple(messages)


def _link(link: Any) -> ChainLink:
    if not isinstance(link, dict):
        raise ValueError("not a certificate of the chain")
    return ChainLink(
        subject=_text(link.get("subject")),
        issuer=_text(link.get("issuer")),
        thumbprint_sha1=_hexadecimal(link.get("thumbprint_sha1")),
        thumbprint_sha256=_hexadecimal(link.get("thumbprint_sha256")),
        not_before=_instant(link.get("not_before")),
        not_after=_instant(link.get("not_after")),
        signature=_text(link.get("signature")),
        is_self_signed=link.get("is_self_signed") is True,
        is_valid_now=link.get("is_valid_now") is True,
    )


def _packing(packing: Any) -> Packing:
    if not isinstance(packing, dict):
        raise ValueError("not a packing")
    return Packing(
        algorithms=_texts(packing.get("algorithms")),
        iterations=tuple(_number(count) for count in _list(packing.get("iterations"))),
        mac=_text(packing.get("mac")),
        mac_iterations=_number(packing.get("mac_iterations")),
        encoding=_text(packing.get("encoding")),
    )


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _LONGEST_LIST:
        raise ValueError("not a list")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError("not a text")
    return value


def _hexadecimal(value: Any) -> str:
    text = _text(value)
    if len(text) not in (0, 40, 64) or not _HEX.fullmatch(text):
        raise ValueError("not a thumbprint")
    return text


def _number(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int):
        raise ValueError("not a number")
    # Larger ones come from files made to do harm, and neither a database nor a page can hold them.
    return max(min(value, 2**31 - 1), -1)


def _instant(value: Any) -> dt.datetime | None:
    text = _text(value)
    return dt.datetime.fromisoformat(text) if text else None


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value or "", validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("not base64") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, bytes) else value
