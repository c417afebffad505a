"""In which form certificate files come: binary, PEM, UTF-16, bare base64. Pure functions on bytes.

Used inside the cage and also before it (to know whether a password is needed), so nothing here
parses more than the first bytes or the lines of a text.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

LIMIT_BYTES = 100 * 1024
"""The largest PFX seen in the field had 8.5 kB."""

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_MOST_BLOCKS = 60
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF8_MARK = b"\xef\xbb\xbf"


class Form(NamedTuple):
    """A file without its packing.

    :ivar blocks: label and bytes of each PEM block; one block without label for anything else.
    :ivar notes: codes for what was unpacked: ``utf16``, ``bare_base64``.
    """

    blocks: list[tuple[str, bytes]]
    notes: list[str]

    @property
    def has_private_key(self) -> bool:
        return any(label.endswith("PRIVATE KEY") for label, _ in self.blocks)

    @property
    def certificates(self) -> list[bytes]:
        labels = ("", "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
        return [der for label, der in self.blocks if label in labels]


def unpack(data: bytes) -> Form:
    """Undo UTF-16, PEM and base64; binary stays as it is. Never raises."""
    notes = []
    encoding = _UTF16_MARKS.get(data[:2]) or _unmarked_utf16(data)
    if encoding:
        data = data.decode(encoding, "replace").lstrip("\ufeff").encode("ascii", "replace")
        notes.append("utf16")
    data = data.removeprefix(_UTF8_MARK)
    armoured = _armoured(data)
    if armoured:
        return Form(armoured, notes)
    if len(data) > 64 and _BASE64.fullmatch(data):
        decoded = _from_base64(data)
        if decoded is not None and decoded[:1] == b"\x30":
            return Form([("", decoded)], [*notes, "bare_base64"])
    return Form([("", data)], notes)


def needs_password(data: bytes) -> bool:
    """Whether this may be a PFX: not if it is plainly a certificate or a text with a key in it."""
    form = unpack(data[:LIMIT_BYTES])
    label, first = form.blocks[0]
    return label in ("", "PKCS12", "PFX") and not _begins_like_certificate(first)


def _begins_like_certificate(der: bytes) -> bool:
    """A sequence whose first member is a sequence; in a PFX it is a number."""
    if len(der) < 8 or der[0] != 0x30:
        return False
    header = 2 + (der[1] & 0x7F if der[1] > 0x80 else 0)
    return der[header : header + 1] == b"\x30"


def _armoured(data: bytes) -> list[tuple[str, bytes]]:
    blocks: list[tuple[str, bytes]] = []
    at = data.find(_BEGIN)
    while at >= 0 and len(blocks) < _MOST_BLOCKS:
        at += len(_BEGIN)
        after_label = data.find(_DASHES, at, at + 60)
        label = data[at : max(after_label, at)]
        end = data.find(_END + label + _DASHES, at) if label else -1
        if end >= 0:
            name = label.decode("ascii", "replace")
            decoded = _from_base64(data[after_label + len(_DASHES) : end])
            # A key that cannot be read, such as an encrypted one, is still a key.
            if decoded is not None or name.endswith("PRIVATE KEY"):
                blocks.append((name, decoded or b""))
            at = end
        at = data.find(_BEGIN, at)
    return blocks


def _unmarked_utf16(data: bytes) -> str:
    if data[:10] == "-----".encode("utf-16-le"):
        return "utf-16-le"
    return "utf-16-be" if data[:10] == "-----".encode("utf-16-be") else ""


def _from_base64(text: bytes) -> bytes | None:
    # Lines with a colon are headers of old PEM ("Proc-Type: ..."), not content.
    lines = [line for line in text.splitlines() if b":" not in line]
    try:
        return base64.b64decode(b"".join(b"".join(lines).split()), validate=True)
    except (binascii.Error, ValueError):
        return None
