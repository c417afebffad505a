"""A secret in every spelling in which it could slip out, and the search for it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, quote_plus

RUN = re.compile(rb"[A-Za-z0-9]{16,}")


@dataclass(frozen=True)
class Canary:
    """One secret to look for; ``name`` says which, so that its value stands in no failed test.

    Beside the whole secret, every run of 16 or more letters and digits in it is looked for: no way of
    escaping changes those, however often it is used, and a secret cut in two shows itself.
    """

    name: str
    value: bytes = field(repr=False)

    @cached_property
    def needles(self) -> dict[bytes, str]:
        """Spelling -> what it is called."""
        found = {spelling: kind for kind, spelling in spellings(self.value)}
        for run in RUN.findall(self.value):
            if run != self.value:
                found |= {text: f"part, {kind}" for kind, text in spellings(run)}
        return found

    def found_in(self, data: bytes) -> list[str]:
        """How it stands in ``data``; nothing where it does not."""
        return [f"{self.name} ({kind})" for needle, kind in self.needles.items() if needle in data]


def spellings(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Every spelling looked for, the longest way first; text ones only where the secret is text."""
    yield from _of_bytes(value, "")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    for order in ("utf-16-le", "utf-16-be"):
        yield from _of_bytes(text.encode(order), f"{order} ")
    for kind, spelled in (
        ("URL-quoted", quote(text, safe="")),
        ("form-quoted", quote_plus(text)),
        ("JSON", json.dumps(text)[1:-1]),
        ("JSON in JSON", json.dumps(json.dumps(text)[1:-1])[1:-1]),
        ("JSON without escapes", json.dumps(text, ensure_ascii=False)[1:-1]),
        ("HTML", html.escape(text)),
        ("XML", html.escape(text, quote=False)),
        ("Python", repr(text)[1:-1]),
        ("Python bytes", repr(value)[2:-1]),
    ):
        yield kind, spelled.encode()


def _of_bytes(value: bytes, kind: str) -> Iterator[tuple[str, bytes]]:
    yield f"{kind}raw", value
    yield f"{kind}hex", value.hex().encode()
    yield f"{kind}HEX", value.hex().upper().encode()
    for offset in range(3):
        inner = _base64_inside(value, offset)
        yield f"{kind}base64 at {offset}", inner
        yield f"{kind}base64url at {offset}", inner.translate(bytes.maketrans(b"+/", b"-_"))


def _base64_inside(value: bytes, offset: int) -> bytes:
    """The characters that ``value`` alone decides, ``offset`` bytes behind a multiple of three."""
    coded = base64.b64encode(bytes(offset) + value).rstrip(b"=")
    first = -(-offset * 8 // 6)
    whole = (offset + len(value)) * 8 // 6
    return coded[first:whole]


def leaks(canaries: Iterable[Canary], data: bytes) -> list[str]:
    """What stands in ``data`` and should not, also where lines are broken as in PEM or MIME."""
    joined = re.sub(rb"[ \t]*\r?\n[ \t]*", b"", data)
    found = [hit for canary in canaries for hit in canary.found_in(data) or canary.found_in(joined)]
    return sorted(found)
