"""The public files of cryptography's own test vectors, each with its agreed verdict and codes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest

from sync_setup.inspection.inspector import inspect_pfx

_VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
_AT = dt.datetime.fromisoformat(_VECTORS["at"])


def _pfx(case: dict[str, Any]) -> bytes:
    with cryptography_vectors.open_vector_file(f"pkcs12/{case['file']}", "rb") as file:
        data: bytes = file.read()
    return data


@pytest.mark.parametrize("case", _VECTORS["files"], ids=lambda case: str(case["file"]))
def test_a_public_file_gives_its_agreed_verdict(case: dict[str, Any]) -> None:
    report = inspect_pfx(_pfx(case), case["password"], at=_AT)

    assert (report.verdict, list(report.codes)) == (case["verdict"], case["codes"])
    assert (report.subject, report.thumbprint_sha1) == (case["subject"], case["thumbprint_sha1"])


@pytest.mark.parametrize("case", _VECTORS["files"], ids=lambda case: str(case["file"]))
def test_a_wrong_password_is_all_that_is_said(case: dict[str, Any]) -> None:
    report = inspect_pfx(_pfx(case), "wrong", at=_AT)

    assert report.codes == ("wrong_password_or_damaged",)
    assert not report.thumbprint_sha1


def test_all_thirty_one_are_here() -> None:
    assert len(_VECTORS["files"]) == 31
