"""The child's answer is not trusted, and the report is safe to show and keep."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.pki import Issued
from sync_setup.inspection.inspector import inspect_pfx, read_answer
from sync_setup.inspection.isolation import Ended
from sync_setup.inspection.report import report_of
from tests.inspection import making
from tests.inspection.conftest import AT
from tests.inspection.making import PASSWORD

AGREED = {
    "verdict",
    "codes",
    "thumbprint_sha1",
    "thumbprint_sha256",
    "subject",
    "issuer",
    "serial",
    "not_before",
    "not_after",
    "days_left",
    "key_type",
    "key_bits",
    "signature",
    "csp",
    "chain",
    "container",
}


def test_the_json_has_every_agreed_member(good: Issued) -> None:
    plain = inspect_pfx(good.to_pfx(PASSWORD), PASSWORD, at=AT).as_json()

    assert set(plain) >= AGREED
    assert plain["thumbprint_sha1"] == good.thumbprint_sha1
    assert plain["thumbprint_sha256"] == good.sha256
    assert plain["not_after"] == "2027-11-03T00:00:00Z"
    assert plain["days_left"] == 345
    assert (plain["key_type"], plain["key_bits"]) == ("RSA", 2048)
    assert plain["signature"] == "sha256WithRSAEncryption"
    assert plain["container"]["mac"] == "HMAC-SHA1"
    assert json.loads(json.dumps(plain)) == plain


def test_the_json_of_a_refused_file_has_the_same_members(good: Issued) -> None:
    refused = inspect_pfx(b"nothing", "", at=AT).as_json()

    assert set(refused) == set(inspect_pfx(good.to_pfx(PASSWORD), PASSWORD, at=AT).as_json())
    assert refused["subject"] is None
    assert refused["messages"][0]["fix"]


@pytest.mark.parametrize(
    "forged",
    [
        {"codes": ["everything_is_fine"]},
        {"codes": "accept"},
        {"codes": [], "subject": "line\nbreak"},
        {"codes": [], "subject": "x" * 5000},
        {"codes": [], "subject": ["CN=x"]},
        {"codes": [], "thumbprint_sha1": "<script>"},
        {"codes": [], "thumbprint_sha1": "AB"},
        {"codes": [], "key_bits": "2048"},
        {"codes": [], "chain": [1]},
        {"codes": [], "chain": [{}] * 101},
        {"codes": [], "not_after": "tomorrow"},
        {"codes": [], "container": "none"},
        {"codes": [], "der": 1},
        {"codes": [], "der": "?"},
        [],
        None,
        7,
    ],
)
def test_a_forged_answer_is_a_refusal(forged: Any) -> None:
    report = read_answer(Ended(json.dumps(forged).encode(), 0.1), AT)

    assert (report.verdict, report.codes) == ("reject", ("inspection_timeout",))


def test_the_verdict_is_drawn_here_and_the_worst_code_decides() -> None:
    answer = {"verdict": "accept", "codes": ["self_signed", "expired", "utf16"]}

    assert report_of(answer, AT).verdict == "reject"
    assert report_of({"codes": ["self_signed", "utf16"]}, AT).verdict == "warn"
    assert report_of({"codes": ["utf16"]}, AT).verdict == "accept"


def test_numbers_nobody_can_store_are_cut() -> None:
    answer = {"codes": [], "container": {"iterations": [2**80, -(2**80)]}}

    assert report_of(answer, AT).container.iterations == (2**31 - 1, -1)


def test_neither_report_nor_json_holds_the_password(good: Issued) -> None:
    report = inspect_pfx(making.pfx_of(good, "canary-4Tq8"), "canary-4Tq8", at=AT)

    assert report.is_fit
    assert "canary-4Tq8" not in repr(report) + json.dumps(report.as_json())
