"""Typed reading of the environment, each setting once, failing loudly and early.

Secrets are read from ``NAME`` or from the file named by ``NAME_FILE``; their values never appear in an error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(Exception):
    """A setting is missing or cannot be read; the process must not start."""


def text(name: str, default: str = "") -> str:
    """Give the setting as text."""
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    """Give the setting as yes or no: 1/true/yes/on, 0/false/no/off.

    :raises BadSetting: for any other word.
    """
    word = text(name).lower()
    if not word:
        return default
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(f"{name} must be yes or no.")


def seconds(name: str, default: float) -> float:
    """Give the setting in seconds, greater than zero.

    :raises BadSetting: when it is not a number or not greater than zero.
    """
    word = text(name)
    try:
        value = float(word) if word else default
    except ValueError:
        raise BadSetting(f"{name} must be a number of seconds.") from None
    if value <= 0:
        raise BadSetting(f"{name} must be greater than 0.")
    return value


def items(name: str, default: str = "") -> list[str]:
    """Give the setting as a list, written with commas."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret(name: str, default: str | None = None, *, file: Path | None = None) -> str:
    """Give a secret from ``NAME`` or from the file that ``NAME_FILE`` names.

    :param file: where it is looked for when neither is set (the embedded way keeps its keys together).
    :raises BadSetting: when it is nowhere and there is no default, or the file cannot be read.
    """
    if name in os.environ:
        return os.environ[name]
    path = text(f"{name}_FILE", str(file) if file and file.exists() else "")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE cannot be read: {error.strerror}.") from None
    if default is None:
        raise BadSetting(f"Set {name}, or {name}_FILE to the path of a file that holds it.")
    return default


# Without these a connection whose other end vanished is waited on for minutes: no watch, no lease.
_NO_DEAD_CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def database(url: str) -> dict[str, Any]:
    """Turn ``postgresql://user:password@host:port/name?host=/socket/folder`` or ``sqlite:///path`` into Django's form.

    :raises BadSetting: for another scheme or a URL without a database name.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path)[1:] if not parts.path.startswith("//") else parts.path[1:],
            "OPTIONS": {
                # IMMEDIATE: a SELECT that turns into an UPDATE fails at once under WAL, whatever the timeout.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    if parts.scheme in {"postgresql", "postgres"} and parts.path.strip("/"):
        query = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.strip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": query.pop("host", parts.hostname or ""),
            "PORT": query.pop("port", str(parts.port or "")),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": _NO_DEAD_CONNECTION | query,
        }
    raise BadSetting(
        "DATABASE_URL must be postgresql://user:password@host/name or sqlite:////path."
    )
