"""RC2 in CBC mode (RFC 2268), to open what older Windows exported; nothing is ever encrypted with it.

``cryptography`` has RC2 with 128-bit keys alone, the files of Windows use 40. A certificate is some
two hundred blocks, so plain Python is fast enough.
"""

from __future__ import annotations

_BLOCK = 8
_PI_DIGITS = (
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_TABLE = bytes.fromhex(_PI_DIGITS)


def decrypt_cbc(key: bytes, effective_bits: int, vector: bytes, sealed: bytes) -> bytes:
    """The plain bytes, padding included.

    :param effective_bits: strength the key is reduced to, such as 40.
    :raises ValueError: not whole blocks.
    """
    if len(sealed) % _BLOCK or len(vector) != _BLOCK:
        raise ValueError("not whole blocks")
    schedule = _expanded(key, effective_bits)
    plain = bytearray()
    before = vector
    for at in range(0, len(sealed), _BLOCK):
        block = sealed[at : at + _BLOCK]
        opened = _decrypt_block(schedule, block)
        plain += bytes(a ^ b for a, b in zip(opened, before, strict=True))
        before = block
    return bytes(plain)


def _expanded(key: bytes, effective_bits: int) -> list[int]:
    if not 0 < len(key) <= 128 or not 0 < effective_bits <= 1024:
        raise ValueError("no RC2 key")
    buffer = bytearray(key) + bytearray(128 - len(key))
    for at in range(len(key), 128):
        buffer[at] = _TABLE[(buffer[at - 1] + buffer[at - len(key)]) & 255]
    kept = (effective_bits + 7) // 8
    mask = 255 >> (8 * kept - effective_bits)
    buffer[128 - kept] = _TABLE[buffer[128 - kept] & mask]
    for at in range(127 - kept, -1, -1):
        buffer[at] = _TABLE[buffer[at + 1] ^ buffer[at + kept]]
    return [buffer[2 * n] | buffer[2 * n + 1] << 8 for n in range(64)]


def _decrypt_block(schedule: list[int], block: bytes) -> bytes:
    words = [block[2 * n] | block[2 * n + 1] << 8 for n in range(4)]
    at = 63
    for rounds in (5, 6, 5):
        for _ in range(rounds):
            for n, turn in ((3, 5), (2, 3), (1, 2), (0, 1)):
                turned = (words[n] >> turn | words[n] << (16 - turn)) & 0xFFFF
                mixed = (words[n - 1] & words[n - 2]) + (~words[n - 1] & words[n - 3])
                words[n] = (turned - schedule[at] - mixed) & 0xFFFF
                at -= 1
        if at > 0:
            for n in (3, 2, 1, 0):
                words[n] = (words[n] - schedule[words[n - 1] & 63]) & 0xFFFF
    return b"".join(word.to_bytes(2, "little") for word in words)
