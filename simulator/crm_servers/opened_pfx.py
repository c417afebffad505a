"""Open a PFX the way Windows imports it: one key, its certificate, and where the key would go.

Windows puts the key where the file's provider attribute says, with the KeySpec of its key usage
attribute; both are invisible to ordinary PKCS#12 readers, so the bags are looked at one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import algos, core, keys, pkcs12
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from simulator.pfx import derive

CSP_NAME = "1.3.6.1.4.1.311.17.1"
KEY_USAGE = "2.5.29.15"
AT_SIGNATURE_BITS = 0x80
KEY_BAGS = ("key_bag", "pkcs8_shrouded_key_bag")
KEY, IV = 1, 2


class NotAPfx(Exception):
    """The bytes are no PKCS#12 file with a certificate and a key."""


class WrongPassword(Exception):
    """The password does not open the file."""


@dataclass(frozen=True)
class OpenedPfx:
    """What an import would find; ``provider`` is '' and ``key_spec`` 1 where the file says nothing."""

    certificate_der: bytes
    key_count: int
    provider: str
    key_spec: int


def open_pfx(data: bytes, password: str) -> OpenedPfx:
    """Open the file.

    :raises NotAPfx: no PKCS#12 file, or without a key and its certificate.
    :raises WrongPassword: the password does not open it.
    """
    try:
        bags = list(_bags(data, password))
    except (ValueError, TypeError) as error:
        raise NotAPfx from error
    try:
        loaded = load_pkcs12(data, password.encode())
    except ValueError as error:
        raise WrongPassword from error
    if loaded.key is None or loaded.cert is None:
        raise NotAPfx
    key_bags = [bag for bag in bags if bag["bag_id"].native in KEY_BAGS]
    first = key_bags[0] if key_bags else None
    return OpenedPfx(
        certificate_der=loaded.cert.certificate.public_bytes(Encoding.DER),
        key_count=max(1, len(key_bags)),
        provider=_provider(first) if first is not None else "",
        key_spec=_key_spec(first, password) if first is not None else 1,
    )


def _bags(data: bytes, password: str) -> Iterator[pkcs12.SafeBag]:
    """Every bag that can be read; those sealed by a scheme that is not known here are left out."""
    for content in pkcs12.Pfx.load(data).authenticated_safe:
        if content["content_type"].native == "data":
            plain: bytes | None = content["content"].native
        else:
            inner = content["content"]["encrypted_content_info"]
            sealed = inner["encrypted_content"].native
            plain = _unsealed(inner["content_encryption_algorithm"], sealed, password)
        if plain is not None:
            yield from pkcs12.SafeContents.load(plain)


def _unsealed(algorithm: algos.EncryptionAlgorithm, sealed: bytes, password: str) -> bytes | None:
    name = algorithm["algorithm"].native
    if name == "pkcs12_sha1_tripledes_3key":
        salt, rounds = algorithm.kdf_salt, algorithm.kdf_iterations
        key, vector = (derive(password, salt, rounds, use, n) for use, n in ((KEY, 24), (IV, 8)))
        return _decrypted(Cipher(TripleDES(key), modes.CBC(vector)), 64, sealed)
    if name == "pbes2" and algorithm.kdf == "pbkdf2" and algorithm.encryption_cipher == "aes":
        key = hashlib.pbkdf2_hmac(
            algorithm.kdf_hmac,
            password.encode(),
            algorithm.kdf_salt,
            algorithm.kdf_iterations,
            algorithm.key_length,
        )
        vector = algorithm.encryption_iv
        return _decrypted(Cipher(algorithms.AES(key), modes.CBC(vector)), 128, sealed)
    return None


def _decrypted(cipher: Cipher[modes.CBC], block_bits: int, sealed: bytes) -> bytes | None:
    decryptor, unpadder = cipher.decryptor(), PKCS7(block_bits).unpadder()
    try:
        padded = decryptor.update(sealed) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        # A wrong password shows itself as wrong padding; the reader of the whole file says so.
        return None


def _provider(bag: pkcs12.SafeBag) -> str:
    attributes = bag["bag_attributes"]
    for attribute in attributes if attributes.native else []:
        if attribute["type"].dotted == CSP_NAME:
            return str(core.BMPString.load(attribute["values"][0].dump()).native)
    return ""


def _key_spec(bag: pkcs12.SafeBag, password: str) -> int:
    value = bag["bag_value"].parsed if hasattr(bag["bag_value"], "parsed") else bag["bag_value"]
    if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
        sealed = value["encrypted_data"].native
        plain = _unsealed(value["encryption_algorithm"], sealed, password)
        if plain is None:
            return 1
        value = keys.PrivateKeyInfo.load(plain)
    attributes = value["attributes"]
    for attribute in attributes if attributes.native else []:
        if attribute["type"].dotted == KEY_USAGE:
            bits = attribute["values"][0].dump()[-1]
            return 2 if bits & AT_SIGNATURE_BITS else 1
    return 1
