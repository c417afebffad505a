"""The structure of a PFX: safes, bags and MAC, read without deriving a single key (RFC 7292)."""

from __future__ import annotations

from typing import NamedTuple

from sync_setup.inspection.child import ber
from sync_setup.inspection.child.algorithms import Encryption, Mac, read_encryption, read_mac

MOST_ITERATIONS = 1_000_000
MOST_ITERATIONS_TOGETHER = 3_000_000
MOST_BAGS = 50
MOST_CERTIFICATES = 20
SHORTEST_SALT = 8

_DATA, _ENCRYPTED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_BAG = "1.2.840.113549.1.12.10.1."
_KINDS = {
    _BAG + "1": "key",
    _BAG + "2": "shrouded key",
    _BAG + "3": "certificate",
    _BAG + "4": "revocation list",
    _BAG + "5": "secret",
    _BAG + "6": "safe",
}
_X509 = "1.2.840.113549.1.9.22.1"
_NESTED_SAFES = 5


class Bag(NamedTuple):
    """One thing in a safe.

    :ivar value: PKCS#8 of a key, the sealed bytes of a shrouded one, DER of a certificate.
    :ivar attributes: encoded values by object identifier.
    """

    kind: str
    value: bytes
    encryption: Encryption | None
    attributes: dict[str, bytes]

    @property
    def is_key(self) -> bool:
        return self.kind in ("key", "shrouded key")


class Safe(NamedTuple):
    """A part of the file, in the open or encrypted as a whole."""

    content: bytes
    encryption: Encryption | None


class Container(NamedTuple):
    """A PFX taken apart.

    :ivar protected: what the MAC covers.
    :ivar is_der: plain DER with nothing after it.
    """

    safes: list[Safe]
    protected: bytes
    mac: Mac | None
    is_der: bool


def looks_like_pfx(data: bytes) -> bool:
    """Whether this begins as a PFX does: a sequence whose first member is the number 3."""
    try:
        first = ber.children(ber.read_only(data))[0]
        return ber.integer(first) == 3
    except (ValueError, IndexError):
        return False


def begins_like_pfx(data: bytes) -> bool:
    """Whether the first bytes are those of a PFX, even if the rest is missing or broken."""
    header = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] > 0x80 else 0)
    return data[:1] == b"\x30" and data[header : header + 3] == b"\x02\x01\x03"


def read_container(data: bytes) -> Container:
    """Take a PFX apart.

    :raises ValueError: damaged.
    :raises NotImplementedError: protected by public keys instead of a password.
    """
    pfx, _ = ber.read(data)
    _, content_info, *rest = ber.children(pfx)
    kind, content = _content(content_info)
    if kind != _DATA:
        raise NotImplementedError("a PFX signed instead of protected by a password")
    protected = ber.octets(content)
    safes = [_read_safe(node) for node in ber.children(ber.read_only(protected))]
    mac = read_mac(rest[0]) if rest else None
    return Container(safes, protected, mac, ber.is_der(data) and not _writes_default(rest))


def read_bags(content: bytes, depth: int = 0) -> list[Bag]:
    """The bags of an open safe, those of safes inside it included.

    :raises ValueError: damaged.
    """
    bags: list[Bag] = []
    for node in ber.children(ber.read_only(content)):
        bag = _read_bag(node)
        if bag.kind == "safe":
            if depth >= _NESTED_SAFES:
                raise ValueError("nested too deeply")
            bags += read_bags(bag.value, depth + 1)
        else:
            bags.append(bag)
    return bags


def open_bags(container: Container) -> list[Bag]:
    """The bags that lie in the open."""
    return [
        bag for safe in container.safes if not safe.encryption for bag in read_bags(safe.content)
    ]


def iterations(container: Container, bags: list[Bag]) -> list[int]:
    """Every iteration count that opening these parts would cost."""
    counts = [container.mac.stretch.iterations] if container.mac else []
    encryptions = [safe.encryption for safe in container.safes] + [bag.encryption for bag in bags]
    return counts + [each.stretch.iterations for each in encryptions if each]


def is_too_costly(counts: list[int]) -> bool:
    """Whether opening would take longer than anybody should wait."""
    together = sum(max(count, 0) for count in counts)
    return max(counts, default=0) > MOST_ITERATIONS or together > MOST_ITERATIONS_TOGETHER


def is_too_full(bags: list[Bag]) -> bool:
    """Whether there is more in it than one certificate and its chain could need."""
    certificates = sum(bag.kind == "certificate" for bag in bags)
    return len(bags) > MOST_BAGS or certificates > MOST_CERTIFICATES


def _writes_default(mac_data: list[ber.Node]) -> bool:
    """DER leaves a default out; Windows and RFC 9579 write the iteration count 1 all the same."""
    if not mac_data:
        return False
    rest = ber.children(mac_data[0])[2:]
    return bool(rest) and ber.integer(rest[0]) == 1


def _content(node: ber.Node) -> tuple[str, ber.Node]:
    kind, content = ber.children(node)[:2]
    return ber.oid(kind), ber.explicit(content)


def _read_safe(node: ber.Node) -> Safe:
    kind, content = _content(node)
    if kind == _DATA:
        return Safe(ber.octets(content), None)
    if kind != _ENCRYPTED:
        raise NotImplementedError("a part encrypted for a public key")
    _, encrypted = ber.children(content)[:2]
    _, algorithm, *sealed = ber.children(encrypted)
    if not sealed:
        raise ValueError("an encrypted part without content")
    return Safe(ber.octets(sealed[0]), read_encryption(algorithm))


def _read_bag(node: ber.Node) -> Bag:
    identifier, tagged, *rest = ber.children(node)
    kind = _KINDS.get(ber.oid(identifier), "other")
    value = ber.explicit(tagged)
    attributes = _read_attributes(rest[0]) if rest else {}
    if kind == "shrouded key":
        algorithm, sealed = ber.children(value)[:2]
        return Bag(kind, ber.octets(sealed), read_encryption(algorithm), attributes)
    if kind == "certificate":
        form, certificate = ber.children(value)[:2]
        if ber.oid(form) != _X509:
            return Bag("other", b"", None, attributes)
        return Bag(kind, ber.octets(ber.explicit(certificate)), None, attributes)
    return Bag(kind, value.encoded, None, attributes)


def _read_attributes(node: ber.Node) -> dict[str, bytes]:
    attributes: dict[str, bytes] = {}
    for attribute in ber.children(node):
        name, values = ber.children(attribute)[:2]
        inside = ber.children(values)
        if inside:
            attributes.setdefault(ber.oid(name), inside[0].encoded)
    return attributes
