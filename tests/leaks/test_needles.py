"""The search itself: what it must find, and where."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.leaks.needles import Canary, leaks

PASSWORD = 'Kn0ck"knock<&>ü\\ 8f3e1c7a9b2d4f60'
CANARY = Canary("password", PASSWORD.encode())


def base64_after(bytes_before: int) -> Callable[[str], bytes]:
    return lambda text: base64.b64encode(b"x" * bytes_before + text.encode() + b"yz")


WAYS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "base64 at 0": base64_after(3),
    "base64 at 1": base64_after(4),
    "base64 at 2": base64_after(5),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()),
    "base64 in lines": lambda text: base64.encodebytes(b"x" * 50 + text.encode()),
    "URL": lambda text: quote(text).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "JSON": lambda text: json.dumps({"a": text}).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})).encode(),
    "HTML": lambda text: html.escape(text).encode(),
    "repr": lambda text: repr([text]).encode(),
    "half of it": lambda text: text[-20:].encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found_however_it_is_written(way: str) -> None:
    assert leaks([CANARY], b"before \x00\xff" + WAYS[way](PASSWORD) + b" after")


def test_bytes_are_found_that_are_no_text() -> None:
    canary = Canary("file", bytes(range(200, 248)))
    assert leaks([canary], b"x" + canary.value)
    assert leaks([canary], base64.b64encode(b"x" + canary.value))
    assert leaks([canary], canary.value.hex().encode())


def test_nothing_is_found_where_nothing_is() -> None:
    assert leaks([CANARY], b"Kn0ck, knock: who is there? " * 1000) == []


def test_a_find_does_not_repeat_the_secret() -> None:
    assert PASSWORD[-8:] not in str(leaks([CANARY], PASSWORD.encode())) + repr(CANARY)
