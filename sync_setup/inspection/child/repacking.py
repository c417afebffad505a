"""Open a PFX and pack its one key anew for a CRM server, inside the cage."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from sync_setup.inspection.child.answer import Answer, Given, encoded, refused
from sync_setup.inspection.child.inspecting import (
    OpenPfx,
    inspect_pfx,
    judge,
    open_pfx,
)
from sync_setup.inspection.child.opening import Opened
from sync_setup.inspection.child.reporting import (
    find_certificates,
    find_key,
    find_leaves,
    linked_chain,
)
from sync_setup.inspection.child.writing import write_pfx

_UNFIT = {
    "key_not_rsa",
    "no_private_key",
    "no_leaf_certificate",
    "key_does_not_match_certificate",
    "several_private_keys",
    "several_certificates",
}


def repack(given: Given, transport_password: str) -> Answer:
    """The new PFX in base64 and the thumbprint of its certificate, or the codes that forbid it.

    Dates and strength are not judged again: what may be installed is what was approved.
    """
    pfx = open_pfx(given)
    if not isinstance(pfx, OpenPfx):
        return pfx
    before = judge(pfx, given)
    if "thumbprint_sha256" not in before or _UNFIT & set(before["codes"]):
        return before
    packed = _packed(pfx.opened, transport_password)
    after = inspect_pfx(Given(packed, transport_password, given.at))
    wanted = {"thumbprint_sha256": before["thumbprint_sha256"], "key_spec": 1}
    if {name: after.get(name) for name in wanted} != wanted:
        # Read back what was written, as everywhere: a fault of ours must not reach a server.
        return refused("wrong_password_or_damaged", "unreadable")
    return {"codes": [], "pfx": encoded(packed), "thumbprint_sha256": after["thumbprint_sha256"]}


def _packed(opened: Opened, transport_password: str) -> bytes:
    found = find_key(opened)
    certificates = find_certificates(opened.bags)
    leaf = find_leaves(found, certificates)[0]
    key = load_der_private_key(found.pkcs8 if found else b"", None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    # Written anew: the file's own encoding of the key may carry attributes nobody asked for.
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    chain = [one.facts.der for one in linked_chain(leaf, certificates)]
    return write_pfx(pkcs8, leaf.facts.der, chain, transport_password)
