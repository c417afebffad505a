"""Write PKCS#12 files bag by bag, also ones that no decent tool writes.

``cryptography`` writes neither the two attributes that Windows reads (the provider's name and the
key usage that becomes KeySpec) nor files with two keys, so the files are put together here
(RFC 7292). Keys are shrouded with 3DES and certificates lie in the open or under 3DES, with a SHA-1
MAC: the form that every Windows Server reads.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import algos, cms, core, keys, pkcs12
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

WINDOWS_PROVIDER = "Microsoft Enhanced RSA and AES Cryptographic Provider"
AT_KEYEXCHANGE = 0x10
"""The bits of the key usage attribute that Windows writes for KeySpec 1."""

_CSP_NAME = "1.3.6.1.4.1.311.17.1"
_KEY_USAGE = "2.5.29.15"
_KEY, _IV, _MAC = 1, 2, 3
_ITERATIONS = 2000


@dataclass(frozen=True)
class KeyBag:
    """A private key as it lies in the file.

    :ivar local_id: what ties it to its certificate's bag; empty for none.
    :ivar provider: name of the Windows provider to import it into; empty for none.
    :ivar usage: the key usage attribute, such as AT_KEYEXCHANGE; 0 for none.
    :ivar claimed_iterations: what the bag says its encryption took, to make files that harm whoever
        believes it; 0 for the truth.
    """

    key: PrivateKeyTypes
    local_id: bytes = b""
    provider: str = WINDOWS_PROVIDER
    usage: int = AT_KEYEXCHANGE
    claimed_iterations: int = 0


@dataclass(frozen=True)
class CertificateBag:
    """A certificate (DER) as it lies in the file."""

    der: bytes
    local_id: bytes = b""
    friendly_name: str = ""


def write_pfx(
    key_bags: Sequence[KeyBag],
    certificate_bags: Sequence[CertificateBag],
    password: str,
    *,
    hide_keys: bool = False,
) -> bytes:
    """The PFX with exactly these bags.

    :param hide_keys: put the key bags into the encrypted part too, where they cannot be counted
        without the password.
    """
    key_safe = [_shrouded_bag(bag, password) for bag in key_bags]
    certificate_safe = [_certificate_bag(bag) for bag in certificate_bags]
    if hide_keys:
        contents = [_encrypted(certificate_safe + key_safe, password)]
    else:
        contents = [_encrypted(certificate_safe, password), _plain(key_safe)]
    authenticated = pkcs12.AuthenticatedSafe(contents).dump()
    return _pfx(authenticated, password)


def derive(password: str, salt: bytes, iterations: int, purpose: int, length: int) -> bytes:
    """Key material of PKCS#12 with SHA-1 (RFC 7292, appendix B.2)."""
    block = 64
    secret = password.encode("utf-16-be") + b"\0\0"
    stretched = bytearray()
    for part in (salt, secret):
        size = -(-len(part) // block) * block
        stretched += (part * (size // len(part) + 1))[:size]
    out = b""
    while len(out) < length:
        digest = hashlib.sha1(bytes([purpose]) * block + stretched, usedforsecurity=False).digest()
        for _ in range(iterations - 1):
            digest = hashlib.sha1(digest, usedforsecurity=False).digest()
        out += digest
        addend = int.from_bytes((digest * 4)[:block], "big") + 1
        for start in range(0, len(stretched), block):
            value = int.from_bytes(stretched[start : start + block], "big") + addend
            stretched[start : start + block] = (value % (1 << 8 * block)).to_bytes(block, "big")
    return out[:length]


def _pfx(authenticated: bytes, password: str) -> bytes:
    salt = os.urandom(8)
    mac_key = derive(password, salt, _ITERATIONS, _MAC, 20)
    digest = hmac.new(mac_key, authenticated, "sha1").digest()
    pfx = pkcs12.Pfx(
        {
            "version": 3,
            "auth_safe": {"content_type": "data", "content": core.OctetString(authenticated)},
            "mac_data": {
                "mac": {"digest_algorithm": {"algorithm": "sha1"}, "digest": digest},
                "mac_salt": salt,
                "iterations": _ITERATIONS,
            },
        }
    )
    der: bytes = pfx.dump()
    return der


def _seal(plain: bytes, password: str) -> tuple[algos.EncryptionAlgorithm, bytes]:
    salt = os.urandom(8)
    key = derive(password, salt, _ITERATIONS, _KEY, 24)
    vector = derive(password, salt, _ITERATIONS, _IV, 8)
    padder = PKCS7(64).padder()
    padded = padder.update(plain) + padder.finalize()
    # 3DES and SHA-1 because Windows Server 2016 reads nothing newer in a PFX.
    encryptor = Cipher(TripleDES(key), modes.CBC(vector)).encryptor()
    algorithm = algos.EncryptionAlgorithm(
        {
            "algorithm": "pkcs12_sha1_tripledes_3key",
            "parameters": {"salt": salt, "iterations": _ITERATIONS},
        }
    )
    return algorithm, encryptor.update(padded) + encryptor.finalize()


def _shrouded_bag(bag: KeyBag, password: str) -> pkcs12.SafeBag:
    info = keys.PrivateKeyInfo.load(
        bag.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    if bag.usage:
        # A DER bit string of one byte whose trailing zero bits count as unused.
        bits = core.BitString.load(bytes([3, 2, 4, bag.usage]))
        info["attributes"] = [{"type": _KEY_USAGE, "values": [bits]}]
    algorithm, sealed = _seal(info.dump(force=True), password)
    if bag.claimed_iterations:
        algorithm["parameters"]["iterations"] = bag.claimed_iterations
    attributes = _attributes(bag.local_id, "")
    if bag.provider:
        attributes.append({"type": _CSP_NAME, "values": [core.BMPString(bag.provider)]})
    value = keys.EncryptedPrivateKeyInfo(
        {"encryption_algorithm": algorithm, "encrypted_data": sealed}
    )
    return _safe_bag("pkcs8_shrouded_key_bag", value, attributes)


def _certificate_bag(bag: CertificateBag) -> pkcs12.SafeBag:
    value = pkcs12.CertBag({"cert_id": "x509", "cert_value": core.ParsableOctetString(bag.der)})
    return _safe_bag("cert_bag", value, _attributes(bag.local_id, bag.friendly_name))


def _safe_bag(
    kind: str, value: core.Sequence, attributes: list[dict[str, object]]
) -> pkcs12.SafeBag:
    fields: dict[str, object] = {"bag_id": kind, "bag_value": value}
    if attributes:
        fields["bag_attributes"] = attributes
    return pkcs12.SafeBag(fields)


def _attributes(local_id: bytes, friendly_name: str) -> list[dict[str, object]]:
    attributes: list[dict[str, object]] = []
    if friendly_name:
        attributes.append({"type": "friendly_name", "values": [friendly_name]})
    if local_id:
        attributes.append({"type": "local_key_id", "values": [local_id]})
    return attributes


def _plain(bags: list[pkcs12.SafeBag]) -> cms.ContentInfo:
    contents = pkcs12.SafeContents(bags).dump()
    return cms.ContentInfo({"content_type": "data", "content": core.OctetString(contents)})


def _encrypted(bags: list[pkcs12.SafeBag], password: str) -> cms.ContentInfo:
    algorithm, sealed = _seal(pkcs12.SafeContents(bags).dump(), password)
    inner = {
        "content_type": "data",
        "content_encryption_algorithm": algorithm,
        "encrypted_content": sealed,
    }
    return cms.ContentInfo(
        {
            "content_type": "encrypted_data",
            "content": cms.EncryptedData({"version": "v0", "encrypted_content_info": inner}),
        }
    )
