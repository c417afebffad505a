"""``manage.py inspect_certificate``: exit codes, where the password comes from, what is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.pki import Issued
from tests.inspection import making
from tests.inspection.making import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
AT = ("--at", "2026-11-23T00:00:00Z")


@pytest.fixture
def folder(tmp_path: Path, good: Issued) -> Path:
    (tmp_path / "good.pfx").write_bytes(good.to_pfx(PASSWORD))
    (tmp_path / "self-signed.pfx").write_bytes(making.pfx_of(making.self_made()))
    (tmp_path / "public.cer").write_bytes(good.der)
    (tmp_path / "password.txt").write_bytes(b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\n")
    return tmp_path


def _run(folder: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), "inspect_certificate", *arguments]
    return subprocess.run(
        command, cwd=folder, input=said, capture_output=True, text=True, check=False
    )


def test_a_fit_certificate_ends_with_0_and_is_described(folder: Path, good: Issued) -> None:
    done = _run(folder, "good.pfx", *AT, "--password-file", "password.txt")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Fit to be the token issuer (at 2026-11-23 00:00 UTC)")
    assert good.thumbprint_sha1 in done.stdout
    assert "345 days left" in done.stdout


def test_a_warning_is_fit_too(folder: Path) -> None:
    done = _run(folder, "self-signed.pfx", *AT, said=f"{PASSWORD}\n")

    assert done.returncode == 0
    assert "WARN    The certificate is self-signed  [self_signed]" in done.stdout


def test_an_unfit_certificate_ends_with_1_and_says_what_to_do(folder: Path) -> None:
    done = _run(folder, "good.pfx", "--at", "2028-01-01", said=PASSWORD)

    assert done.returncode == 1
    assert "To do: Bring the renewed certificate." in done.stdout


def test_a_wrong_password_ends_with_1_and_is_not_repeated(folder: Path) -> None:
    done = _run(folder, "good.pfx", *AT, said="canary-B3x\n")

    assert done.returncode == 1
    assert "wrong_password_or_damaged" in done.stdout
    assert "canary-B3x" not in done.stdout + done.stderr


def test_json_is_all_that_is_printed(folder: Path, good: Issued) -> None:
    done = _run(folder, "good.pfx", *AT, "--json", "--password-file", "password.txt")

    plain = json.loads(done.stdout)
    assert plain["verdict"] == "accept"
    assert plain["thumbprint_sha1"] == good.thumbprint_sha1


def test_a_certificate_without_key_needs_no_password(folder: Path) -> None:
    done = _run(folder, "public.cer", *AT)

    assert done.returncode == 0


def test_a_cer_can_be_compared_with_the_pfx(folder: Path, good: Issued) -> None:
    (folder / "other.cer").write_bytes(good.chain[0].public_bytes(making.DER))

    codes = [
        _run(folder, "good.pfx", *AT, "--public", name, said=PASSWORD).returncode
        for name in ("public.cer", "other.cer")
    ]

    assert codes == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("nowhere.pfx",), "No such file"),
        ((".",), "Is a directory"),
        (("good.pfx", "--password-file", "nowhere.txt"), "No such file"),
        (("good.pfx", "--at", "tomorrow"), "no ISO 8601 instant"),
        (("good.pfx", "--password-file", "good.pfx"), "not UTF-8"),
        ((), "required"),
    ],
)
def test_what_cannot_be_done_ends_with_2(
    folder: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = _run(folder, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
