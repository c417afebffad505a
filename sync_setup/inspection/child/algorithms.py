"""What the algorithm identifiers in a PFX mean: ciphers, hashes, derivations."""

from __future__ import annotations

from typing import NamedTuple

from sync_setup.inspection.child import ber
from sync_setup.inspection.child.stretching import Stretch

_HASHES = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.5": "sha512_224",
    "2.16.840.1.101.3.4.2.6": "sha512_256",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
    "1.2.840.113549.2.12": "sha512_224",
    "1.2.840.113549.2.13": "sha512_256",
}
"""Hashes, and the HMAC identifiers that name the same hash."""

_PBES2, _PBKDF2, _PBMAC1 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.2.840.113549.1.5.14"


class Cipher(NamedTuple):
    """A symmetric cipher.

    :ivar kind: ``aes``, ``3des``, ``des``, ``rc2`` or ``rc4``; empty where we do not know it.
    :ivar vector_bytes: length of the initialization vector; 0 for a stream cipher.
    :ivar strength: effective bits, which for RC2 are not those of the key.
    """

    kind: str
    label: str
    key_bytes: int
    vector_bytes: int = 8
    strength: int = 0


class Encryption(NamedTuple):
    """How a part of the file is encrypted.

    :ivar vector: given in the file, or empty where it is derived from the password.
    :ivar label: for people.
    """

    label: str
    stretch: Stretch
    cipher: Cipher
    vector: bytes = b""
    is_pbes2: bool = False


class Mac(NamedTuple):
    """How the whole file is protected against changes, and by which value.

    :ivar is_pbmac1: RFC 9579, else the MAC of PKCS#12 itself.
    :ivar digest: hash of the HMAC; empty where we do not know it.
    """

    label: str
    stretch: Stretch
    digest: str
    value: bytes
    is_pbmac1: bool = False


_PKCS12 = "1.2.840.113549.1.12.1."
_SIMPLE = {
    _PKCS12 + "1": ("pkcs12", "sha1", Cipher("rc4", "RC4-128", 16, 0)),
    _PKCS12 + "2": ("pkcs12", "sha1", Cipher("rc4", "RC4-40", 5, 0)),
    _PKCS12 + "3": ("pkcs12", "sha1", Cipher("3des", "3DES", 24)),
    _PKCS12 + "4": ("pkcs12", "sha1", Cipher("3des", "3DES with two keys", 16)),
    _PKCS12 + "5": ("pkcs12", "sha1", Cipher("rc2", "RC2-128", 16, 8, 128)),
    _PKCS12 + "6": ("pkcs12", "sha1", Cipher("rc2", "RC2-40", 5, 8, 40)),
    "1.2.840.113549.1.5.3": ("pbkdf1", "md5", Cipher("des", "DES", 8)),
    "1.2.840.113549.1.5.6": ("pbkdf1", "md5", Cipher("rc2", "RC2-64", 8, 8, 64)),
    "1.2.840.113549.1.5.10": ("pbkdf1", "sha1", Cipher("des", "DES", 8)),
    "1.2.840.113549.1.5.11": ("pbkdf1", "sha1", Cipher("rc2", "RC2-64", 8, 8, 64)),
}
_SCHEMES = {
    "2.16.840.1.101.3.4.1.2": Cipher("aes", "AES-128", 16, 16),
    "2.16.840.1.101.3.4.1.22": Cipher("aes", "AES-192", 24, 16),
    "2.16.840.1.101.3.4.1.42": Cipher("aes", "AES-256", 32, 16),
    "1.2.840.113549.3.7": Cipher("3des", "3DES", 24),
    "1.3.14.3.2.7": Cipher("des", "DES", 8),
    "1.2.840.113549.3.2": Cipher("rc2", "RC2", 16, 8, 32),
}
_RC2_STRENGTHS = {160: 40, 120: 64, 58: 128}
"""The parameter version of RFC 2268, section 6, and the effective bits that it means."""


def read_encryption(node: ber.Node) -> Encryption:
    """The encryption that this AlgorithmIdentifier names, also one that nobody here can undo.

    :raises ValueError: it is damaged.
    """
    name, parameters = _identifier(node)
    if name == _PBES2 and parameters is not None:
        return _read_pbes2(parameters)
    if name in _SIMPLE and parameters is not None:
        scheme, digest, cipher = _SIMPLE[name]
        salt, iterations, *_ = ber.children(parameters)
        stretch = Stretch(scheme, digest, ber.octets(salt), ber.integer(iterations))
        label = f"PBE-{digest.upper()}-{cipher.label}"
        return Encryption(label, stretch, cipher)
    return Encryption(name, Stretch("", "", b"", 1), Cipher("", name, 0, 0))


def read_mac(node: ber.Node) -> Mac:
    """The MacData of a PFX.

    :raises ValueError: it is damaged.
    """
    digest_info, salt, *rest = ber.children(node)
    algorithm, value = ber.children(digest_info)[:2]
    name, parameters = _identifier(algorithm)
    if name == _PBMAC1 and parameters is not None:
        derivation, scheme = ber.children(parameters)[:2]
        stretch = _read_derivation(derivation)
        digest = _HASHES.get(_identifier(scheme)[0], "")
        label = f"PBMAC1 with HMAC-{digest.upper() or 'unknown'}"
        return Mac(label, stretch, digest, ber.octets(value), True)
    digest = _HASHES.get(name, "")
    iterations = ber.integer(rest[0]) if rest else 1
    stretch = Stretch("pkcs12", digest, ber.octets(salt), iterations)
    return Mac(f"HMAC-{digest.upper() or name}", stretch, digest, ber.octets(value))


def _identifier(node: ber.Node) -> tuple[str, ber.Node | None]:
    name, *parameters = ber.children(node)
    return ber.oid(name), parameters[0] if parameters else None


def _read_pbes2(parameters: ber.Node) -> Encryption:
    derivation, scheme = ber.children(parameters)[:2]
    stretch = _read_derivation(derivation)
    name, vector = _identifier(scheme)
    cipher = _SCHEMES.get(name, Cipher("", name, 0, 0))
    iv = b""
    if cipher.kind == "rc2" and vector is not None:
        cipher, iv = _read_rc2(cipher, vector, stretch)
    elif cipher.kind and vector is not None:
        iv = ber.octets(vector)
    derived = f"PBKDF2-HMAC-{stretch.digest.upper()}" if stretch.digest else "unknown derivation"
    return Encryption(f"PBES2 ({derived}, {cipher.label})", stretch, cipher, iv, True)


def _read_rc2(cipher: Cipher, parameters: ber.Node, stretch: Stretch) -> tuple[Cipher, bytes]:
    *version, vector = ber.children(parameters)
    strength = _RC2_STRENGTHS.get(ber.integer(version[0]), 0) if version else 32
    label = f"RC2-{strength}" if strength else "RC2"
    size = stretch.key_bytes or 16
    return Cipher("rc2", label, size, 8, strength), ber.octets(vector)


def _read_derivation(node: ber.Node) -> Stretch:
    name, parameters = _identifier(node)
    if name != _PBKDF2 or parameters is None:
        return Stretch("", "", b"", 1)
    salt, iterations, *rest = ber.children(parameters)
    key_bytes, digest = 0, "sha1"
    for node in rest:
        if node.tag == ber.INTEGER:
            key_bytes = ber.integer(node)
        else:
            digest = _HASHES.get(_identifier(node)[0], "")
    if salt.tag != ber.OCTET_STRING:
        raise ValueError("a salt from elsewhere")
    return Stretch("pbkdf2", digest, ber.octets(salt), ber.integer(iterations), key_bytes)
