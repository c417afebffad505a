"""What is shipped for production, read as data."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = ROOT / "docs" / "production"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = {
    name: (PRODUCTION / f"sss-portal-{name}.service").read_text()
    for name in ("web", "worker", "migrate")
}
_SETTING = re.compile(r"env\.(?:text|flag|seconds|items|secret)\(\s*\"([A-Z0-9_]+)\"")
# Python's own, not the portal's.
FOREIGN = {"PYTHONDONTWRITEBYTECODE"}


def settings_read() -> list[str]:
    """Every name that portal/settings.py asks the environment for, in its order."""
    found = _SETTING.findall((ROOT / "portal" / "settings.py").read_text())
    return list(dict.fromkeys(found))


def unit_values(name: str, key: str) -> list[str]:
    """Give every value of one key of a unit."""
    return re.findall(rf"(?m)^{key}=(.*)$", UNITS[name])


def unit_environment(name: str) -> dict[str, str]:
    """Give what a unit's Environment= lines set."""
    words = [word for line in unit_values(name, "Environment") for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in words)


def example_settings() -> dict[str, str]:
    """Give the names and values of .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z0-9_]+=", line))
