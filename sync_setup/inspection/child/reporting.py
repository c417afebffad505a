"""From opened bags to the answer: which certificate is the leaf, what it says, what follows."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sync_setup.inspection.child import ber
from sync_setup.inspection.child.answer import Answer, Given, encoded, refused
from sync_setup.inspection.child.certificate import (
    UNKNOWN_KEY,
    Facts,
    PublicKey,
    describe_key,
    read_certificate,
)
from sync_setup.inspection.child.container import Bag
from sync_setup.inspection.child.opening import Opened, open_key
from sync_setup.inspection.child.policy import certificate_codes, settled
from sync_setup.inspection.child.wording import shown
from sync_setup.inspection.forms import Form, unpack

WINDOWS_PROVIDER = "Microsoft Enhanced RSA and AES Cryptographic Provider"

_DAMAGED = "wrong_password_or_damaged"
_LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
_CSP_NAME = "1.3.6.1.4.1.311.17.1"
_KEY_USAGE = "2.5.29.15"
_KEY_SPECS = {0x10: 1, 0x80: 2}
"""The key usage attribute of a key, and the KeySpec that Windows makes of it."""


class FoundKey(NamedTuple):
    """The private key of the file.

    :ivar pkcs8: the key itself; never part of an answer.
    :ivar local_id: what its certificate's bag should carry too.
    """

    pkcs8: bytes
    public: PublicKey
    local_id: bytes
    csp: str
    key_spec: int | None


class Certificate(NamedTuple):
    """A certificate of the file and the mark that ties it to a key."""

    facts: Facts
    local_id: bytes


def report_pfx(opened: Opened, codes: set[str], given: Given) -> Answer:
    """The answer for an opened PFX.

    :param codes: remarks on its packing.
    """
    try:
        key = find_key(opened)
        certificates = find_certificates(opened.bags)
    except NotImplementedError as error:
        return refused("unsupported_algorithm", "container", unsupported=str(error))
    except ValueError:
        return refused(_DAMAGED, "content")
    leaves = find_leaves(key, certificates)
    if len(leaves) > 1:
        return refused("several_certificates", "same_key")
    codes = codes | _pairing_codes(key, certificates, leaves)
    facts: dict[str, Any] = {}
    if leaves:
        leaf = leaves[0].facts
        codes |= certificate_codes(leaf, given.at)
        facts = _leaf_facts(leaf)
        if given.public is not None and not _is_same(given.public, leaf.der):
            codes.add("cer_and_pfx_differ")
    if key:
        codes |= _key_codes(key)
        facts |= {"csp": key.csp, "key_spec": key.key_spec}
        if not leaves:
            facts |= {"key_type": key.public.kind, "key_bits": key.public.bits}
    if key and key.csp == WINDOWS_PROVIDER:
        # A file that names its Windows provider was made for Windows by somebody who chose its
        # packing for the servers; the remark is for files from elsewhere. The portal packs both anew.
        codes -= {"pbes2_container_needs_ws2019_or_rewrap"}
    chain = ordered_chain(leaves, certificates)
    return {"codes": settled(codes), "chain": [_link(each, given.at) for each in chain], **facts}


def report_public(form: Form, given: Given) -> Answer:
    """The answer for a certificate without a key."""
    blocks = form.certificates
    try:
        certificate, rest = ber.read(blocks[0] if blocks else b"")
        facts = read_certificate(certificate.encoded)
    except ValueError:
        return refused(_DAMAGED, "not_a_certificate")
    codes = certificate_codes(facts, given.at) | set(form.notes)
    if rest:
        codes.add("ber_or_trailing_data")
    return {"codes": settled(codes), "chain": [], **_leaf_facts(facts)}


def find_key(opened: Opened) -> FoundKey | None:
    """The one private key, or None.

    :raises ValueError: it cannot be decrypted or makes no key.
    """
    bags = [bag for bag in opened.bags if bag.is_key]
    if not bags:
        return None
    pkcs8 = open_key(bags[0], opened.ways)
    try:
        public = describe_key(load_der_private_key(pkcs8, None).public_key())
    except UnsupportedAlgorithm:
        public = UNKNOWN_KEY
    except TypeError as error:
        raise ValueError("not a private key") from error
    attributes = bags[0].attributes
    return FoundKey(
        pkcs8, public, _local_id(bags[0]), _provider(attributes), _key_spec(pkcs8, attributes)
    )


def find_certificates(bags: list[Bag]) -> list[Certificate]:
    """The certificates of the file, each once.

    :raises ValueError: one of them cannot be read.
    """
    found: dict[bytes, Certificate] = {}
    for bag in bags:
        if bag.kind == "certificate":
            facts = read_certificate(bag.value)
            known = found.get(facts.der)
            if known is None or not known.local_id:
                found[facts.der] = Certificate(facts, _local_id(bag))
    return list(found.values())


def find_leaves(key: FoundKey | None, certificates: list[Certificate]) -> list[Certificate]:
    """The certificate of the key; more than one where the file does not say which.

    Without a match it is the one that carries the key's mark, or else the only end of a chain: to
    show somebody whose key does not fit what it does not fit to.
    """
    if key is None:
        return []
    fitting = [one for one in certificates if one.facts.key.info == key.public.info != b""]
    marked = [one for one in certificates if key.local_id and one.local_id == key.local_id]
    both = [one for one in fitting if one in marked]
    issuers = {one.facts.issuer.text for one in certificates if not one.facts.is_self_signed}
    ends = [one for one in certificates if one.facts.subject.text not in issuers]
    return both or fitting or marked[:1] or ends[:1] or certificates[:1]


def linked_chain(leaf: Certificate, certificates: list[Certificate]) -> list[Certificate]:
    """The certificates above the leaf, issuer after issuer, as far as the file has them."""
    rest = [one for one in certificates if one is not leaf]
    chain: list[Certificate] = []
    last = leaf
    while not last.facts.is_self_signed and last.facts.issuer.text:
        above = last.facts.issuer.text
        nearest = next((one for one in rest if one.facts.subject.text == above), None)
        if nearest is None:
            break
        rest.remove(nearest)
        chain.append(nearest)
        last = nearest
    return chain


def ordered_chain(leaves: list[Certificate], certificates: list[Certificate]) -> list[Certificate]:
    """The certificates beside the leaf: its chain first, then what is not part of it."""
    chain = linked_chain(leaves[0], certificates) if leaves else []
    return chain + [one for one in certificates if one not in chain and one not in leaves]


def _pairing_codes(
    key: FoundKey | None, certificates: list[Certificate], leaves: list[Certificate]
) -> set[str]:
    if key is None:
        return {"no_private_key", "no_leaf_certificate"}
    if not certificates:
        return {"no_leaf_certificate"}
    matches = leaves[0].facts.key.info == key.public.info != b""
    # What cannot be compared because nobody here knows its kind is refused as "not RSA" anyway.
    comparable = key.public.kind != "unknown" or leaves[0].facts.key.kind == "RSA"
    return {"key_does_not_match_certificate"} if comparable and not matches else set()


def _key_codes(key: FoundKey) -> set[str]:
    codes = set() if key.public.kind == "RSA" else {"key_not_rsa"}
    if key.csp == WINDOWS_PROVIDER:
        codes.add(f"csp:{WINDOWS_PROVIDER}")
    return codes


def _is_same(public: bytes, der: bytes) -> bool:
    try:
        return [ber.read_only(block).encoded for block in unpack(public).certificates] == [der]
    except ValueError:
        return False


def _leaf_facts(facts: Facts) -> Answer:
    return {
        "thumbprint_sha1": facts.sha1,
        "thumbprint_sha256": facts.sha256,
        "subject": facts.subject.text,
        "issuer": facts.issuer.text,
        "serial": facts.serial,
        "not_before": _instant(facts.not_before),
        "not_after": _instant(facts.not_after),
        "key_type": facts.key.kind,
        "key_bits": facts.key.bits,
        "signature": facts.signature,
        "san": facts.san,
        "key_usage": facts.key_usage,
        "eku": facts.eku,
        "der": encoded(facts.der),
    }


def _link(certificate: Certificate, at: dt.datetime) -> Answer:
    facts = certificate.facts
    return {
        "subject": facts.subject.text,
        "issuer": facts.issuer.text,
        "thumbprint_sha1": facts.sha1,
        "thumbprint_sha256": facts.sha256,
        "not_before": _instant(facts.not_before),
        "not_after": _instant(facts.not_after),
        "signature": facts.signature,
        "is_self_signed": facts.is_self_signed,
        "is_valid_now": bool(
            facts.not_before and facts.not_after and facts.not_before <= at <= facts.not_after
        ),
    }


def _instant(when: dt.datetime | None) -> str:
    return when.isoformat().replace("+00:00", "Z") if when else ""


def _local_id(bag: Bag) -> bytes:
    value = bag.attributes.get(_LOCAL_KEY_ID)
    return ber.octets(ber.read_only(value)) if value else b""


def _provider(attributes: dict[str, bytes]) -> str:
    value = attributes.get(_CSP_NAME)
    return shown(ber.read_only(value).content.decode("utf-16-be", "replace")) if value else ""


def _key_spec(pkcs8: bytes, attributes: dict[str, bytes]) -> int | None:
    """KeySpec as the file wishes it; None where it does not say."""
    value = attributes.get(_KEY_USAGE) or _pkcs8_attribute(pkcs8, _KEY_USAGE)
    bits = ber.read_only(value).content[1:2] if value else b""
    return _KEY_SPECS.get(bits[0]) if bits else None


def _pkcs8_attribute(pkcs8: bytes, wanted: str) -> bytes | None:
    for member in ber.children(ber.read_only(pkcs8))[3:]:
        if member.tag == ber.CONTEXT_0:
            for attribute in ber.children(member):
                name, values = ber.children(attribute)[:2]
                if ber.oid(name) == wanted:
                    return next((value.encoded for value in ber.children(values)), None)
    return None
