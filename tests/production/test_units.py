"""The systemd units of one VM."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.production.shipped import (
    FOREIGN,
    ROOT,
    SERVICES,
    UNITS,
    settings_read,
    unit_environment,
    unit_values,
)

SYSTEMD = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)


def _here(folder: Path) -> list[str]:
    """Write the units for this checkout, so that systemd finds the programs they start."""
    programs = Path(sys.executable).parent
    for name, text in UNITS.items():
        text = text.replace("/opt/sss-portal/.venv/bin", str(programs))
        (folder / f"sss-portal-{name}.service").write_text(
            text.replace("/opt/sss-portal", str(ROOT))
        )
    return sorted(str(path) for path in folder.glob("*.service"))


@SYSTEMD
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", *_here(tmp_path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@SYSTEMD
@pytest.mark.parametrize("name", UNITS)
def test_unit_is_little_exposed(name: str, tmp_path: Path) -> None:
    _here(tmp_path)
    unit = str(tmp_path / f"sss-portal-{name}.service")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
    )
    level = re.search(r"Overall exposure level .*: ([0-9.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level.group(1)) <= 2.0


@pytest.mark.parametrize("name", UNITS)
def test_every_variable_is_a_setting_of_the_portal(name: str) -> None:
    known = set(settings_read()) | FOREIGN
    for variable in unit_environment(name):
        assert variable in known or variable.removesuffix("_FILE") in known, variable


@pytest.mark.parametrize("name", UNITS)
def test_every_credential_is_loaded_and_used(name: str) -> None:
    loaded = {value.split(":")[0] for value in unit_values(name, "LoadCredential")}
    used = set(re.findall(r"%d/(\w+)", UNITS[name]))
    assert loaded == used


def test_only_the_worker_is_given_the_opening_key() -> None:
    assert [name for name, text in UNITS.items() if "OPENING_KEY_FILE=" in text] == ["worker"]
    assert [name for name, text in UNITS.items() if "opening.pem" in text] == ["worker"]


def test_only_the_migration_is_the_owner() -> None:
    assert [name for name, text in UNITS.items() if "database_url_owner" in text] == ["migrate"]


def test_worker_and_web_are_different_users() -> None:
    """One could read the other's memory and credentials otherwise."""
    assert unit_values("web", "User") != unit_values("worker", "User")


def test_worker_has_time_to_end_its_step() -> None:
    assert unit_values("worker", "KillMode") == ["mixed"]
    assert int(unit_values("worker", "TimeoutStopSec")[0]) >= 60 + 55


@pytest.mark.parametrize("name", ["web", "worker"])
def test_unit_starts_what_compose_starts(name: str) -> None:
    unit = shlex.split(unit_values(name, "ExecStart")[0])[1:]
    service = [str(word) for word in SERVICES[name]["command"]][1:]
    place = ("127.0.0.1:8000", "0.0.0.0:8000", "${WORKER_PROCESSES:-2}", "2")

    def options(words: list[str]) -> set[str]:
        return {part for word in words for part in word.split("=") if part not in place}

    assert options(unit) == options(service)
