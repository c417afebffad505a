"""Files of other tools and broken files: read where they can be, told apart where not."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12

from simulator.pki import Issued
from sync_setup.inspection.inspector import inspect_pfx, inspect_public
from sync_setup.inspection.report import Report
from tests.inspection import making
from tests.inspection.conftest import AT
from tests.inspection.making import PASSWORD


def _agrees(report: Report, verdict: str, *codes: str) -> None:
    assert (report.verdict, report.codes) == (verdict, codes)


def _title(pfx: bytes, password: str = PASSWORD) -> str:
    report = inspect_pfx(pfx, password, at=AT)
    assert report.codes == ("wrong_password_or_damaged",)
    return report.messages[0].title


def test_ber_with_open_lengths_and_strings_in_pieces_is_read(good: Issued) -> None:
    report = inspect_pfx(making.as_ber(making.pfx_of(good)), PASSWORD, at=AT)

    _agrees(report, "warn", "ber_or_trailing_data")
    assert report.thumbprint_sha1 == good.thumbprint_sha1


def test_bytes_after_the_end_are_reported(good: Issued) -> None:
    _agrees(
        inspect_pfx(making.pfx_of(good) + bytes(8), PASSWORD, at=AT), "warn", "ber_or_trailing_data"
    )
    _agrees(inspect_public(good.der + b"\r\n", at=AT), "warn", "ber_or_trailing_data")


@pytest.mark.parametrize("prf", [9, 11])
def test_a_mac_after_rfc_9579_is_checked(good: Issued, prf: int) -> None:
    pfx = making.with_pbmac1(making.pfx_of(good), prf=prf)

    # The RFC wants the iteration count 1 written out, which DER forbids.
    _agrees(inspect_pfx(pfx, PASSWORD, at=AT), "warn", "ber_or_trailing_data")
    assert _title(pfx, "wrong") == "The file cannot be opened"


def test_a_mac_without_key_length_is_damage_and_no_matter_of_the_password(good: Issued) -> None:
    pfx = making.with_pbmac1(making.pfx_of(good), key_bytes=None)

    assert _title(pfx) == "The file's protection is damaged"


def test_a_password_of_another_alphabet_opens_files_of_old_openssl(good: Issued) -> None:
    # Old versions took each byte of UTF-8 for a character of its own.
    as_written = PASSWORD.encode().decode("latin-1")

    _agrees(inspect_pfx(good.to_pfx(as_written, provider=""), PASSWORD, at=AT), "accept")


def test_damage_inside_is_told_from_a_wrong_password(good: Issued) -> None:
    pfx = making.pfx_around(b"\x30\x03\x02\x01\x05", good)

    assert _title(pfx) == "The file is damaged"
    assert _title(pfx, "wrong") == "The file cannot be opened"


def test_a_file_cut_off_is_told_without_the_password(good: Issued) -> None:
    pfx = making.pfx_of(good)

    assert _title(pfx[: len(pfx) // 2], "wrong") == "The file is not complete"


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"", "The file is empty"),
        (b"Hello, world. " * 20, "This is not a PFX file"),
        (bytes(2000), "This is not a PFX file"),
        (b"\xfe\xed\xfe\xed\0\0\0\2", "This is a Java keystore"),
        (b"\x30\x80\x02\x01\x03\0\0", "The file is damaged"),
        (b"\x30\x80\x02\x01\x03\x30\x80", "The file is damaged"),
        (b"\x30\x82\x09\x00\x02\x01\x03", "The file is not complete"),
    ],
)
def test_what_is_no_pfx_is_never_blamed_on_the_password(data: bytes, title: str) -> None:
    assert _title(data) == title


def test_a_mac_nobody_knows_is_not_blamed_on_the_password(good: Issued) -> None:
    parsed = asn1_pkcs12.Pfx.load(making.pfx_of(good))
    # GOST R 34.11-2012, as Russian tools write it.
    parsed["mac_data"]["mac"]["digest_algorithm"]["algorithm"] = "1.2.643.7.1.1.2.2"

    report = inspect_pfx(parsed.dump(force=True), PASSWORD, at=AT)

    _agrees(report, "reject", "unsupported_algorithm")
    assert "1.2.643.7.1.1.2.2" in report.messages[0].explanation


def test_a_cipher_nobody_knows_is_named(tmp_path: Path, good: Issued) -> None:
    options = ("-keypbe", "CAMELLIA-256-CBC", "-certpbe", "CAMELLIA-256-CBC")

    report = inspect_pfx(making.with_openssl(tmp_path, good, *options), PASSWORD, at=AT)

    _agrees(report, "reject", "unsupported_algorithm")


@pytest.mark.parametrize("lines", [base64.encodebytes, base64.b64encode])
def test_a_pfx_as_base64_text_is_converted(good: Issued, lines: object) -> None:
    assert callable(lines)

    report = inspect_pfx(lines(making.pfx_of(good)), PASSWORD, at=AT)

    _agrees(report, "accept", "bare_base64")


def test_a_pfx_in_pem_is_read(good: Issued) -> None:
    body = base64.encodebytes(making.pfx_of(good))

    pem = b"-----BEGIN PKCS12-----\n" + body + b"-----END PKCS12-----\n"

    _agrees(inspect_pfx(pem, PASSWORD, at=AT), "accept")


def test_an_iteration_count_below_one_is_damage(good: Issued) -> None:
    assert _title(making.mac_claims(making.pfx_of(good), -5)) == "The file's protection is damaged"


def test_as_many_iterations_as_are_allowed_are_carried_out(good: Issued) -> None:
    claim = making.mac_claims(making.pfx_of(good), 1_000_000)

    assert _title(claim) == "The file cannot be opened"
    _agrees(
        inspect_pfx(making.mac_claims(claim, 1_000_001), PASSWORD, at=AT),
        "reject",
        "kdf_iterations_too_high",
    )
