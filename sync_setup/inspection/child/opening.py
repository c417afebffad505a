"""Open a PFX with a password: check its MAC, then undo its encryption, in every spelling that fits.

Done here and not by a library, because a library says "invalid password or data" to everything. The
MAC tells a wrong password from a damaged part, and only a reader of its own sees every key.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from sync_setup.inspection.child.algorithms import Encryption, Mac
from sync_setup.inspection.child.container import (
    Bag,
    Container,
    is_too_costly,
    iterations,
    read_bags,
)
from sync_setup.inspection.child.stretching import (
    KEY,
    MAC,
    VECTOR,
    Password,
    digest_bytes,
    spellings,
    stretch,
)

_LONGEST_MAC_KEY = 64


class Opened(NamedTuple):
    """What the password opened.

    :ivar bags: all of them, safes undone; keys still shrouded.
    :ivar ways: the spellings of the password that the MAC admits.
    """

    bags: list[Bag]
    ways: list[Password]


def ways_in(container: Container, password: str) -> list[Password]:
    """The spellings of this password that fit the MAC; all of them where there is no MAC.

    Empty: the password is wrong, or what the MAC covers was changed.

    :raises NotImplementedError: a MAC that we cannot compute.
    :raises ValueError: a MAC that nobody should compute.
    """
    ways = spellings(password)
    mac = container.mac
    if mac is None:
        return ways
    right: dict[bytes, bool] = {}
    for way in ways:
        spelled = way.narrow if mac.is_pbmac1 else way.wide
        if spelled not in right:
            right[spelled] = _fits(mac, container.protected, way)
    return [way for way in ways if right[way.narrow if mac.is_pbmac1 else way.wide]]


def open_safes(container: Container, ways: list[Password]) -> Opened:
    """Undo the encryption of the safes.

    :raises ValueError: damaged, or the password is not that of this part.
    :raises NotImplementedError: a cipher or derivation that we do not know.
    :raises OverflowError: inside the encrypted part hides work that nobody should wait for.
    """
    bags: list[Bag] = []
    for safe in container.safes:
        if safe.encryption is None:
            bags += read_bags(safe.content)
        else:
            bags += _open_safe(safe.encryption, safe.content, ways)
    if is_too_costly(iterations(container, bags)):
        raise OverflowError("hidden iterations")
    return Opened(bags, ways)


def open_key(bag: Bag, ways: list[Password]) -> bytes:
    """The PKCS#8 of a key bag.

    :raises ValueError: damaged, or another password.
    :raises NotImplementedError: a cipher or derivation that we do not know.
    """
    if bag.encryption is None:
        return bag.value
    for way in ways:
        try:
            plain = decrypt(bag.encryption, bag.value, way)
        except ValueError:
            continue
        if plain[:1] == b"\x30":
            return plain
    raise ValueError("the key cannot be decrypted")


def decrypt(encryption: Encryption, sealed: bytes, way: Password) -> bytes:
    """The plain bytes.

    :raises ValueError: not what this password encrypted.
    :raises NotImplementedError: a cipher or derivation that we do not know.
    """
    cipher = encryption.cipher
    if not cipher.kind or not encryption.stretch.scheme:
        raise NotImplementedError(encryption.label)
    key, vector = _key_and_vector(encryption, way)
    if cipher.kind == "rc4":
        return _with_library(cipher.kind, key, b"", sealed)
    if not sealed or len(sealed) % cipher.vector_bytes or len(vector) != cipher.vector_bytes:
        raise ValueError("not whole blocks")
    if cipher.kind == "rc2":
        # Imported where it is needed: most files have none of it.
        from sync_setup.inspection.child.rc2 import decrypt_cbc  # noqa: PLC0415

        if not cipher.strength:
            raise NotImplementedError(encryption.label)
        return _unpadded(decrypt_cbc(key, cipher.strength, vector, sealed), 8)
    return _unpadded(_with_library(cipher.kind, key, vector, sealed), cipher.vector_bytes)


def _fits(mac: Mac, protected: bytes, way: Password) -> bool:
    if not mac.digest:
        raise NotImplementedError(mac.label)
    size = digest_bytes(mac.digest)
    if mac.is_pbmac1:
        # RFC 9579 demands the length; without it, or with a huge one, files were used for attacks.
        size = mac.stretch.key_bytes
        if not 0 < size <= _LONGEST_MAC_KEY:
            raise ValueError("a MAC key of no sensible length")
    key = stretch(mac.stretch, way, MAC, size)
    return hmac.compare_digest(hmac.digest(key, protected, mac.digest), mac.value)


def _open_safe(encryption: Encryption, sealed: bytes, ways: list[Password]) -> list[Bag]:
    for way in ways:
        try:
            return read_bags(decrypt(encryption, sealed, way))
        except ValueError:
            continue
    raise ValueError("an encrypted part cannot be decrypted")


def _key_and_vector(encryption: Encryption, way: Password) -> tuple[bytes, bytes]:
    how, cipher = encryption.stretch, encryption.cipher
    if how.key_bytes and how.key_bytes != cipher.key_bytes:
        raise ValueError("a key length that the cipher does not have")
    if how.scheme == "pbkdf1":
        both = stretch(how, way, KEY, 16)
        return both[:8], both[8:]
    key = stretch(how, way, KEY, cipher.key_bytes)
    if how.scheme == "pbkdf2" or not cipher.vector_bytes:
        return key, encryption.vector
    return key, stretch(how, way, VECTOR, cipher.vector_bytes)


def _with_library(kind: str, key: bytes, vector: bytes, sealed: bytes) -> bytes:
    # Imported late: a file that the structure already condemns never gets this far.
    from cryptography.hazmat.decrepit.ciphers.algorithms import (  # noqa: PLC0415
        ARC4,
        TripleDES,
    )
    from cryptography.hazmat.primitives.ciphers import Cipher, modes  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415

    if kind == "rc4":
        stream = Cipher(ARC4(key), None).decryptor()
        return stream.update(sealed) + stream.finalize()
    if kind == "des":
        key = key * 3
    if len(key) == 16 and kind == "3des":
        key += key[:8]
    algorithm = AES(key) if kind == "aes" else TripleDES(key)
    decryptor = Cipher(algorithm, modes.CBC(vector)).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()


def _unpadded(plain: bytes, block: int) -> bytes:
    size = plain[-1]
    if not 0 < size <= block or plain[-size:] != bytes([size]) * size:
        raise ValueError("no padding")
    return plain[:-size]
