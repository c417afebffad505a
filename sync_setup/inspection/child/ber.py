"""Read BER, the encoding of PKCS#12: tolerant of what real tools write, strict in telling it apart.

Libraries either refuse everything that is not DER or accept it silently. Files of BouncyCastle, NSS
or an old Windows are often not DER and yet fine, so they are read, and ``is_der`` says what they are.
Every length is checked against the bytes that are there, and depth is bounded.
"""

from __future__ import annotations

from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
CONTEXT_0 = 0xA0

_CONSTRUCTED = 0x20
_DEPTH = 40
_STRINGS = {BIT_STRING, OCTET_STRING, 0x0C, 0x13, 0x14, 0x16, 0x1E}


class Node(NamedTuple):
    """One encoded value.

    :ivar tag: identifier octet, class and constructed bit included.
    :ivar content: what stands between header and end.
    :ivar encoded: the whole, header included.
    """

    tag: int
    content: bytes
    encoded: bytes

    @property
    def is_constructed(self) -> bool:
        return bool(self.tag & _CONSTRUCTED)


def read(data: bytes) -> tuple[Node, bytes]:
    """The first value of ``data``, and what follows it.

    :raises ValueError: cut off, or no BER.
    """
    node, end = _read(data, 0, 0)
    return node, data[end:]


def read_only(data: bytes) -> Node:
    """The value that ``data`` is, whatever follows it ignored.

    :raises ValueError: as ``read``.
    """
    return read(data)[0]


def children(node: Node) -> list[Node]:
    """The values inside a constructed one.

    :raises ValueError: it is not constructed, or what is inside is no BER.
    """
    if not node.is_constructed:
        raise ValueError("not constructed")
    inside, at = [], 0
    while at < len(node.content):
        child, at = _read(node.content, at, 1)
        inside.append(child)
    return inside


def explicit(node: Node) -> Node:
    """The one value inside an explicit tag."""
    return _first(children(node))


def octets(node: Node, depth: int = 0) -> bytes:
    """The bytes of an octet string, put together where BER wrote it in pieces."""
    if not node.is_constructed:
        return node.content
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    return b"".join(octets(child, depth + 1) for child in children(node))


def integer(node: Node) -> int:
    """The value of an INTEGER.

    :raises ValueError: it is none.
    """
    if node.tag != INTEGER or not node.content:
        raise ValueError("not an integer")
    return int.from_bytes(node.content, "big", signed=True)


def oid(node: Node) -> str:
    """An OBJECT IDENTIFIER in dotted form.

    :raises ValueError: it is none.
    """
    if node.tag != OID or not node.content or node.content[-1] & 0x80:
        raise ValueError("not an object identifier")
    arcs, value = [], 0
    for byte in node.content[:64]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in [first, arcs[0] - 40 * first, *arcs[1:]])


def is_der(data: bytes) -> bool:
    """Whether this is DER as far as its tags and lengths tell, with nothing after it."""
    try:
        return _is_der(data, 0) == len(data)
    except (ValueError, IndexError):
        return False


def missing_bytes(data: bytes) -> int:
    """How many bytes the outermost length announces beyond the end of ``data``; 0 for none."""
    try:
        start, length = _length(data, 1)
    except (ValueError, IndexError):
        return 0
    return max(0, start + length - len(data)) if length >= 0 else 0


def _first(nodes: list[Node]) -> Node:
    if not nodes:
        raise ValueError("nothing inside")
    return nodes[0]


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Where the content starts, and its length; -1 for indefinite."""
    first = data[at]
    at += 1
    if first < 0x80:
        return at, first
    if first == 0x80:
        return at, -1
    size = first & 0x7F
    if size > 4 or at + size > len(data):
        raise ValueError("no length")
    return at + size, int.from_bytes(data[at : at + size], "big")


def _read(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    if at + 2 > len(data):
        raise ValueError("cut off")
    tag = data[at]
    if tag & 0x1F == 0x1F:
        raise ValueError("a tag that PKCS#12 does not use")
    start, length = _length(data, at + 1)
    if length < 0:
        return _read_indefinite(data, at, start, depth)
    end = start + length
    if end > len(data):
        raise ValueError("cut off")
    return Node(tag, data[start:end], data[at:end]), end


def _read_indefinite(data: bytes, at: int, start: int, depth: int) -> tuple[Node, int]:
    if not data[at] & _CONSTRUCTED:
        raise ValueError("no length")
    end = start
    while data[end : end + 2] != b"\0\0":
        _, end = _read(data, end, depth + 1)
    return Node(data[at], data[start:end], data[at : end + 2]), end + 2


def _is_der(data: bytes, at: int, depth: int = 0) -> int:
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    tag = data[at]
    start, length = _length(data, at + 1)
    shortest = 1 if length < 0x80 else 1 + (length.bit_length() + 7) // 8
    end = start + length
    if length < 0 or start - at - 1 != shortest or end > len(data):
        raise ValueError("not DER")
    if tag & _CONSTRUCTED:
        if tag & ~_CONSTRUCTED in _STRINGS:
            raise ValueError("a string in pieces")
        while start < end:
            start = _is_der(data[:end], start, depth + 1)
    elif tag == INTEGER and length > 1:
        first, second = data[start], data[start + 1]
        if (first, second >> 7) in ((0, 0), (255, 1)):
            raise ValueError("an integer longer than it needs")
    return end
