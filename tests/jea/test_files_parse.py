"""Every PowerShell file parses, is plain ASCII, and stays a small room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jea.powershell import JEA, broken, functions, powershell_files

FILES = powershell_files(JEA)


def _id(path: Path) -> str:
    return str(path.relative_to(JEA))


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_a_file_parses(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_a_file_reads_the_same_on_every_machine(path: Path) -> None:
    data = path.read_bytes()

    # Windows PowerShell 5.1 takes a file without byte order mark for ANSI.
    assert data.isascii()
    assert b"\r" not in data
    assert b"\t" not in data
    assert data.endswith(b"\n")
    assert len(data.splitlines()) < 300


def test_the_parser_notices_a_broken_file(tmp_path: Path) -> None:
    bad = tmp_path / "bad.ps1"
    bad.write_text("function Get-X {\n    if ($a { 1 }\n}\n")

    assert broken(bad)


def test_all_parts_are_there() -> None:
    kinds = {path.suffix for path in FILES}

    assert kinds == {".ps1", ".psm1", ".psd1", ".psrc", ".pssc"}
    assert len(functions(JEA / "SssPortal")) > 100
