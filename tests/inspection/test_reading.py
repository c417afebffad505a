"""The small readers, each against another implementation or the standard's own words."""

from __future__ import annotations

import hashlib
import os

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from simulator import pfx
from sync_setup.inspection.child import ber
from sync_setup.inspection.child.policy import ADVICE, CONTAINER, ORDER
from sync_setup.inspection.child.rc2 import decrypt_cbc
from sync_setup.inspection.child.stretching import Password, Stretch, spellings, stretch
from sync_setup.inspection.child.wording import is_dangerous, shown
from sync_setup.inspection.codes import CODES
from sync_setup.inspection.forms import needs_password, unpack
from sync_setup.inspection.reasons import REASONS


def test_rc2_agrees_with_the_library_where_that_can_do_it() -> None:
    key, vector, plain = os.urandom(16), os.urandom(8), os.urandom(64)
    encryptor = Cipher(RC2(key), modes.CBC(vector)).encryptor()

    assert decrypt_cbc(key, 128, vector, encryptor.update(plain)) == plain


@pytest.mark.parametrize(
    ("key", "bits", "plain", "sealed"),
    [
        # RFC 2268, section 5.
        ("0000000000000000", 63, "0000000000000000", "ebb773f993278eff"),
        ("ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"),
        ("3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"),
        ("88", 64, "0000000000000000", "61a8a244adacccf0"),
        ("88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"),
        ("88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"),
        ("88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"),
    ],
)
def test_rc2_gives_the_values_of_its_rfc(key: str, bits: int, plain: str, sealed: str) -> None:
    opened = decrypt_cbc(bytes.fromhex(key), bits, bytes(8), bytes.fromhex(sealed))

    assert opened.hex() == plain


@pytest.mark.parametrize("length", [8, 20, 24, 64])
def test_two_implementations_of_the_derivation_agree(length: int) -> None:
    salt = os.urandom(8)
    way = spellings("pässword")[0]

    ours = stretch(Stretch("pkcs12", "sha1", salt, 100), way, 1, length)

    assert ours == pfx.derive("pässword", salt, 100, 1, length)


def test_pbkdf2_is_that_of_the_standard_library() -> None:
    how = Stretch("pbkdf2", "sha512", b"salty", 10)

    derived = stretch(how, Password(b"", b"word"), 1, 48)

    assert derived == hashlib.pbkdf2_hmac("sha512", b"word", b"salty", 10, 48)


@pytest.mark.parametrize(
    ("encoded", "dotted"),
    [("06092a864886f70d010701", "1.2.840.113549.1.7.1"), ("06032b6570", "1.3.101.112")],
)
def test_object_identifiers_are_read(encoded: str, dotted: str) -> None:
    assert ber.oid(ber.read_only(bytes.fromhex(encoded))) == dotted


@pytest.mark.parametrize(
    ("encoded", "is_der"),
    [
        ("3003020103", True),
        ("300302010300", False),
        ("308103020103", False),
        ("30800201030000", False),
        ("300402020003", False),
        ("30050203008000", True),
        ("300402020080", True),
        ("2404040101", False),
        ("240404020101", False),
        ("3003020104ff", False),
        ("30050201", False),
        ("", False),
    ],
)
def test_der_is_told_from_ber(encoded: str, is_der: bool) -> None:
    assert ber.is_der(bytes.fromhex(encoded)) is is_der


@pytest.mark.parametrize("encoded", ["", "30", "3080", "30840000", "3f8101", "3085" + "ff" * 5])
def test_no_ber_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - that it is refused is all there is to say
        ber.read(bytes.fromhex(encoded))


def test_depth_is_bounded() -> None:
    with pytest.raises(ValueError, match="deep"):
        ber.read(b"\x30\x80" * 50_000)


def test_missing_bytes_are_counted() -> None:
    assert ber.missing_bytes(bytes.fromhex("3005020103")) == 2
    assert ber.missing_bytes(bytes.fromhex("3003020103")) == 0


def test_text_is_shown_without_what_could_deceive() -> None:
    assert shown("Contoso\u202e\r\n\u00a0Ä") == r"Contoso\u202E\u000D\u000A\u00A0Ä"
    assert len(shown("x" * 5000)) == 1001
    assert is_dangerous("a\u2066b")
    assert not is_dangerous("Ä b\u00a0c")


def test_every_code_has_words_and_a_place() -> None:
    assert set(ORDER) == set(CODES)
    assert set(ADVICE) | set(CONTAINER) <= set(CODES)
    assert {code for code, _ in REASONS} <= set(CODES)
    for words in (*CODES.values(), *REASONS.values()):
        assert words.explanation.endswith(".")


def test_what_rejects_says_how_to_go_on() -> None:
    assert all(words.fix for words in CODES.values() if words.severity == "reject")


@pytest.mark.parametrize(
    ("data", "needed"),
    [
        (b"\x30\x82\x09\x00\x02\x01\x03" + bytes(9), True),
        (b"\x30\x82\x03\x00\x30\x82\x02\x00" + bytes(9), False),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", False),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", False),
        (b"", True),
    ],
)
def test_a_password_is_asked_for_only_where_there_is_something_to_open(
    data: bytes, needed: bool
) -> None:
    assert needs_password(data) is needed


def test_an_encrypted_key_in_old_pem_is_still_a_key() -> None:
    text = (
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\n"
        b"AAAA\n-----END RSA PRIVATE KEY-----\n"
    )

    assert unpack(text).has_private_key


def test_a_thousand_beginnings_without_end_are_no_work() -> None:
    assert unpack(b"-----BEGIN CERTIFICATE-----\n" * 3000).blocks[0][0] == ""
