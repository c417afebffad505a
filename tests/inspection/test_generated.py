"""Files made to harm, to deceive, or in honest error: each with its agreed verdict and codes."""

from __future__ import annotations

import base64
import datetime as dt
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import PrivateFormat

from simulator.pki import Issued, Pki
from sync_setup.inspection.inspector import inspect_file, inspect_pfx, inspect_public
from sync_setup.inspection.report import Report
from tests.inspection import making
from tests.inspection.conftest import AT
from tests.inspection.making import PASSWORD

SLACK = 3
"""Agreed times are for a fast machine."""


def _inspected(pfx: bytes) -> Report:
    return inspect_pfx(pfx, PASSWORD, at=AT)


def _agrees(report: Report, verdict: str, *codes: str) -> None:
    assert (report.verdict, report.codes) == (verdict, codes)


def test_a_mac_bomb_is_refused_without_deriving_a_key(good: Issued) -> None:
    bomb = making.mac_claims(making.pfx_of(good), 2**31 - 1)
    _inspected(bomb)

    started = _cpu_s()
    report = inspect_pfx(bomb, "", at=AT)

    assert _cpu_s() - started < 0.3 * SLACK
    _agrees(report, "reject", "kdf_iterations_too_high")


def test_a_bomb_in_the_encryption_is_refused(good: Issued) -> None:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1_000_001)
    bomb = making.with_cryptography(good, how=builder.build(PASSWORD.encode()))

    _agrees(_inspected(bomb), "reject", "kdf_iterations_too_high")


def test_a_bomb_behind_the_password_stops_the_inspection(good: Issued) -> None:
    started = _cpu_s()
    report = _inspected(making.nested_claim(good, 2**31 - 1))

    assert _cpu_s() - started < 6
    _agrees(report, "reject", "inspection_timeout")


@pytest.mark.parametrize("hidden", [False, True])
def test_two_keys_are_found_wherever_they_lie(pki: Pki, good: Issued, hidden: bool) -> None:
    pair = (good, pki.issue("other", good.certificate.not_valid_before_utc, _end(good)))

    _agrees(_inspected(making.several_keys(pair, hidden=hidden)), "reject", "several_private_keys")


def test_two_keys_in_the_open_are_found_without_the_password(pki: Pki, good: Issued) -> None:
    pair = (good, pki.issue("other", good.certificate.not_valid_before_utc, _end(good)))

    report = inspect_pfx(making.several_keys(pair), "wrong", at=AT)

    _agrees(report, "reject", "several_private_keys")


def test_a_key_that_does_not_match_is_refused(pki: Pki, good: Issued) -> None:
    other = pki.issue("other", good.certificate.not_valid_before_utc, _end(good))

    report = _inspected(making.mismatched(good, other))

    _agrees(report, "reject", "key_does_not_match_certificate")
    assert report.thumbprint_sha1 == good.thumbprint_sha1


def test_another_cer_than_the_pfx_holds_is_refused(pki: Pki, good: Issued) -> None:
    report = inspect_pfx(making.pfx_of(good), PASSWORD, at=AT, public=pki.issuing.certificate_pem)

    _agrees(report, "reject", "cer_and_pfx_differ")


@pytest.mark.parametrize("as_pem", [False, True])
def test_the_same_cer_is_accepted(good: Issued, as_pem: bool) -> None:
    public = good.certificate_pem if as_pem else good.der

    _agrees(inspect_pfx(making.pfx_of(good), PASSWORD, at=AT, public=public), "accept")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb", r"CN=a\u000Ab"),
        ("a\u202eb", r"CN=a\u202Eb"),
        ("a\u200bb", r"CN=a\u200Bb"),
        ("a\x00b", r"CN=a\00b"),
    ],
)
def test_invisible_characters_in_the_name_are_refused_and_shown(
    pki: Pki, name: str, shown: str
) -> None:
    issued = making.self_made(name, issuer=pki.issuing)

    report = _inspected(making.pfx_of(issued))

    _agrees(report, "reject", "control_character_in_subject")
    assert report.subject == shown


def test_a_name_of_the_wrong_type_is_refused(good: Issued) -> None:
    der = making.damaged_subject(good)

    _agrees(_inspected(making.pfx_around(der, good)), "reject", "damaged_subject")
    _agrees(inspect_public(der, at=AT), "reject", "damaged_subject")
    _agrees(inspect_file(der, "", at=AT), "reject", "damaged_subject")


def test_fifty_megabytes_are_refused_at_once() -> None:
    data = bytes(50 * 1024 * 1024)
    started = _cpu_s()
    reports = [inspect_pfx(data, "", at=AT), inspect_public(data, at=AT)]

    assert _cpu_s() - started < 0.04 * SLACK
    for report in reports:
        _agrees(report, "reject", "file_too_large")


@pytest.mark.parametrize("inspect", [inspect_public, lambda data, at: inspect_pfx(data, "", at=at)])
def test_a_private_key_in_a_text_file_is_refused(good: Issued, inspect: object) -> None:
    assert callable(inspect)

    report = inspect(good.key_pem + good.certificate_pem, at=AT)

    _agrees(report, "reject", "private_key_in_public_file")


def test_two_certificates_in_a_cer_are_refused(good: Issued) -> None:
    _agrees(inspect_public(good.chain_pem, at=AT), "reject", "several_certificates")


def test_a_pem_file_of_windows_powershell_is_converted(good: Issued) -> None:
    text = good.certificate_pem.decode().replace("\n", "\r\n").encode("utf-16")

    _agrees(inspect_public(text, at=AT), "accept", "utf16")


def test_bare_base64_is_converted(good: Issued) -> None:
    _agrees(inspect_public(base64.encodebytes(good.der), at=AT), "accept", "bare_base64")


def test_a_certificate_where_a_pfx_belongs_is_told_from_a_damaged_file(good: Issued) -> None:
    report = inspect_pfx(good.der, "", at=AT)

    _agrees(report, "reject", "no_private_key")
    assert report.messages[0].title == "This is a certificate without its private key"


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_other_keys_than_rsa_are_refused(
    pki: Pki, good: Issued, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
) -> None:
    start = good.certificate.not_valid_before_utc
    issued = pki.issue("other", start, _end(good), key=key)

    _agrees(_inspected(making.pfx_of(issued)), "reject", "key_not_rsa")


def test_a_small_key_is_refused(pki: Pki, good: Issued) -> None:
    start = good.certificate.not_valid_before_utc
    issued = pki.issue("small", start, _end(good), key_bits=1024)

    _agrees(_inspected(making.pfx_of(issued)), "reject", "rsa_too_small")


@pytest.mark.parametrize(
    ("arc", "code"),
    [(5, "weak_signature_sha1"), (4, "weak_signature_md5"), (2, "unsupported_algorithm")],
)
def test_a_weak_signature_is_refused(good: Issued, arc: int, code: str) -> None:
    der = making.signed_as(good, arc)

    _agrees(_inspected(making.pfx_around(der, good)), "reject", code)


def _cpu_s() -> float:
    """Processor time of this process and its ended children: what is measured even under load."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _end(issued: Issued) -> dt.datetime:
    return issued.certificate.not_valid_after_utc
