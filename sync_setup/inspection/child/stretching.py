"""Turn a password into key material, as PKCS#12 (RFC 7292 B.2) and PKCS#5 (RFC 8018) say."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

KEY, VECTOR, MAC = 1, 2, 3
"""What the material is for; part of the computation (RFC 7292 B.3)."""


class Stretch(NamedTuple):
    """How key material is made.

    :ivar scheme: ``pkcs12``, ``pbkdf1`` or ``pbkdf2``.
    :ivar digest: name of the hash for hashlib; empty where we do not know it.
    :ivar key_bytes: length the file demands; 0 where the cipher decides.
    """

    scheme: str
    digest: str
    salt: bytes
    iterations: int
    key_bytes: int = 0


class Password(NamedTuple):
    """One way to write a password as bytes.

    :ivar wide: for PKCS#12's own derivation: UTF-16, big endian, with its terminator.
    :ivar narrow: for PKCS#5.
    """

    wide: bytes
    narrow: bytes


def spellings(password: str) -> list[Password]:
    """The ways in which tools have written this password into files, the standard one first."""
    narrow = password.encode("utf-8", "surrogatepass")
    wide = password.encode("utf-16-be", "surrogatepass") + b"\0\0"
    ways = [Password(wide, narrow)]
    if not password:
        # "No password" and "the empty password" differ by the terminator alone.
        ways.append(Password(b"", b""))
    if not password.isascii():
        # OpenSSL before 1.1 took each byte of UTF-8 for a character.
        ways.append(Password(narrow.decode("latin-1").encode("utf-16-be") + b"\0\0", narrow))
    # Old NSS derived PBES2 keys from the wide form.
    ways.append(Password(wide, wide))
    return ways


def stretch(how: Stretch, password: Password, purpose: int, length: int) -> bytes:
    """Key material of ``length`` bytes.

    :raises NotImplementedError: a hash or scheme that we do not know.
    :raises ValueError: an iteration count below 1.
    """
    if how.digest not in hashlib.algorithms_available:
        raise NotImplementedError(how.digest or how.scheme)
    if how.iterations < 1:
        raise ValueError("no iterations")
    if how.scheme == "pkcs12":
        return _pkcs12(how, password.wide, purpose, length)
    if how.scheme == "pbkdf2":
        return hashlib.pbkdf2_hmac(how.digest, password.narrow, how.salt, how.iterations, length)
    if how.scheme == "pbkdf1":
        return _pbkdf1(how, password.narrow)[:length]
    raise NotImplementedError(how.scheme)


def digest_bytes(name: str) -> int:
    """Length of a hash.

    :raises NotImplementedError: not known here.
    """
    if name not in hashlib.algorithms_available:
        raise NotImplementedError(name)
    return hashlib.new(name, usedforsecurity=False).digest_size


def _repeated(part: bytes, block: int) -> bytes:
    size = -(-len(part) // block) * block
    return (part * (size // len(part) + 1))[:size] if part else b""


def _pkcs12(how: Stretch, password: bytes, purpose: int, length: int) -> bytes:
    block = hashlib.new(how.digest, usedforsecurity=False).block_size
    blocks = bytearray(_repeated(how.salt, block) + _repeated(password, block))
    made = b""
    while True:
        digest = _hashed(how.digest, bytes([purpose]) * block + bytes(blocks), how.iterations)
        made += digest
        if len(made) >= length:
            return made[:length]
        addend = int.from_bytes(_repeated(digest, block)[:block], "big") + 1
        for at in range(0, len(blocks), block):
            total = int.from_bytes(blocks[at : at + block], "big") + addend
            blocks[at : at + block] = (total % (1 << 8 * block)).to_bytes(block, "big")


def _pbkdf1(how: Stretch, password: bytes) -> bytes:
    return _hashed(how.digest, password + how.salt, how.iterations)


def _hashed(name: str, data: bytes, times: int) -> bytes:
    once = getattr(hashlib, name, None)
    if once is None:
        for _ in range(times):
            data = hashlib.new(name, data, usedforsecurity=False).digest()
        return data
    # The constructor itself is three times as fast as hashlib.new, and this loop is all there is.
    for _ in range(times):
        data = once(data).digest()
    return data
