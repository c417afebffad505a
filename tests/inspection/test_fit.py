"""Files that may be used, with or without a remark, made by openssl and by ``cryptography``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.pki import Issued, Pki
from simulator.sample_certificates import write_samples
from sync_setup.inspection.codes import WINDOWS_PROVIDER
from sync_setup.inspection.inspector import inspect_pfx
from sync_setup.inspection.report import Report
from tests.inspection import making
from tests.inspection.conftest import AT
from tests.inspection.making import PASSWORD

CSP = f"csp:{WINDOWS_PROVIDER}"
PBES2 = "pbes2_container_needs_ws2019_or_rewrap"
OLD = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")


def _agrees(report: Report, verdict: str, *codes: str) -> None:
    assert (report.verdict, report.codes) == (verdict, codes)


@pytest.mark.parametrize(
    ("options", "verdict", "codes"),
    [
        ((), "accept", [PBES2]),
        (OLD, "accept", []),
        (("-keyex", "-CSP", WINDOWS_PROVIDER), "accept", [CSP]),
        ((*OLD, "-keyex", "-CSP", WINDOWS_PROVIDER), "accept", [CSP]),
        (("-keyex", "-CSP", "Microsoft Strong Cryptographic Provider"), "accept", [PBES2]),
        (("-macalg", "sha512", "-iter", "100000"), "accept", [PBES2]),
        ((*OLD, "-nomac"), "accept", []),
        (("-keypbe", "NONE", "-certpbe", "NONE"), "accept", []),
        (("-keypbe", "NONE", "-certpbe", "NONE", "-nomac"), "warn", ["empty_password"]),
        (("-legacy",), "warn", ["legacy_rc2_40_container"]),
        (("-legacy", "-keypbe", "PBE-SHA1-RC2-128", "-certpbe", "PBE-SHA1-RC4-128"), "accept", []),
        (("-legacy", "-keypbe", "PBE-SHA1-2DES", "-certpbe", "PBE-MD5-DES"), "accept", []),
        (("-legacy", "-keypbe", "RC2-64-CBC", "-certpbe", "DES-EDE3-CBC"), "accept", [PBES2]),
    ],
)
def test_openssl_writes_it_and_it_may_be_used(
    tmp_path: Path, good: Issued, options: tuple[str, ...], verdict: str, codes: list[str]
) -> None:
    report = inspect_pfx(making.with_openssl(tmp_path, good, *options), PASSWORD, at=AT)

    _agrees(report, verdict, *codes)
    assert report.thumbprint_sha1 == good.thumbprint_sha1
    assert [link.subject for link in report.chain] == [
        "CN=Contoso Issuing CA 2",
        "CN=Contoso Root CA 1",
    ]


@pytest.mark.parametrize(
    ("scheme", "codes"),
    [(PBES.PBESv1SHA1And3KeyTripleDESCBC, []), (PBES.PBESv2SHA256AndAES256CBC, [PBES2])],
)
def test_cryptography_writes_it_and_it_may_be_used(
    good: Issued, scheme: PBES, codes: list[str]
) -> None:
    builder = PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(scheme)
    how = builder.hmac_hash(SHA1()).build(PASSWORD.encode())  # noqa: S303 - Server 2016

    report = inspect_pfx(making.with_cryptography(good, how=how), PASSWORD, at=AT)

    _agrees(report, "accept", *codes)
    assert (report.key_type, report.key_bits, report.days_left) == ("RSA", 2048, 345)


def test_a_file_without_password_may_be_used_with_a_warning(good: Issued) -> None:
    report = inspect_pfx(making.with_cryptography(good, how=NoEncryption()), "", at=AT)

    _agrees(report, "warn", "empty_password")


def test_a_self_signed_certificate_may_be_used_with_a_warning() -> None:
    report = inspect_pfx(making.pfx_of(making.self_made()), PASSWORD, at=AT)

    _agrees(report, "warn", "self_signed")


@pytest.mark.parametrize(
    ("days", "verdict", "codes"),
    [
        ((-20, 90), "accept", []),
        ((-20, 89), "warn", ["expires_soon"]),
        ((-20, 30), "warn", ["expires_soon"]),
        ((-20, 29), "reject", ["expires_soon"]),
        ((-20, 0), "reject", ["expires_soon"]),
        ((-20, -1), "reject", ["expired"]),
        ((1, 345), "reject", ["not_yet_valid"]),
    ],
)
def test_validity_is_judged_by_the_days_left(
    pki: Pki, days: tuple[int, int], verdict: str, codes: list[str]
) -> None:
    issued = making.self_made(days=days, issuer=pki.issuing)

    _agrees(inspect_pfx(making.pfx_of(issued), PASSWORD, at=AT), verdict, *codes)


def test_the_instant_is_a_parameter(good: Issued) -> None:
    later = AT + dt.timedelta(days=346)

    _agrees(inspect_pfx(making.pfx_of(good), PASSWORD, at=later), "reject", "expired")


def test_a_certificate_that_may_not_sign_is_a_warning(pki: Pki) -> None:
    issued = making.self_made(issuer=pki.issuing, usage=making.only_encipherment())

    report = inspect_pfx(making.pfx_of(issued), PASSWORD, at=AT)

    _agrees(report, "warn", "key_usage_without_digital_signature")
    assert report.key_usage == ("key_encipherment",)


@pytest.mark.parametrize(
    ("purposes", "codes"),
    [
        ([ExtendedKeyUsageOID.CODE_SIGNING], ["extended_key_usage_unusual"]),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], []),
        ([ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.CLIENT_AUTH], []),
    ],
)
def test_another_purpose_is_a_warning(pki: Pki, purposes: list, codes: list[str]) -> None:  # type: ignore[type-arg]
    issued = making.self_made(issuer=pki.issuing, purposes=purposes)

    report = inspect_pfx(making.pfx_of(issued), PASSWORD, at=AT)

    _agrees(report, "warn" if codes else "accept", *codes)


def test_a_key_with_exponent_three_is_accepted(pki: Pki) -> None:
    issued = making.self_made(issuer=pki.issuing, key=rsa.generate_private_key(3, 2048))

    _agrees(inspect_pfx(making.pfx_of(issued), PASSWORD, at=AT), "accept")


def test_the_sample_files_are_what_they_are_said_to_be(tmp_path: Path, pki: Pki) -> None:
    samples = write_samples(tmp_path, pki, AT)

    verdicts = [inspect_pfx(s.path.read_bytes(), s.password, at=AT).verdict for s in samples]

    assert verdicts == [sample.verdict for sample in samples]


def test_the_good_sample_names_provider_and_key_spec(good: Issued) -> None:
    report = inspect_pfx(good.to_pfx(PASSWORD), PASSWORD, at=AT)

    _agrees(report, "accept", CSP)
    assert (report.csp, report.key_spec) == (WINDOWS_PROVIDER, 1)
