"""Health tells of work done, not of processes that exist."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from portal.jobs import beat
from tests.production.web_process import address_of, start_web
from tests.stack import Stack


def test_page_answers_without_signing_in(database_url: str) -> None:
    answer = Client().get("/health/")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


def test_page_says_503_where_the_database_is_no_portals(database_url: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_installation RENAME TO elsewhere")
    answer = Client().get("/health/")
    assert answer.status_code == 503
    assert b"elsewhere" not in answer.content


def test_command_fails_where_nobody_listens() -> None:
    with pytest.raises(CommandError, match="does not answer"):
        call_command("health", "web", "--address", "127.0.0.1:9")


def test_command_asks_as_the_proxy_would(stack: Stack, tmp_path: Path) -> None:
    """Without the portal's own name and TLS before it, this web process would answer 400 or 301."""
    stack.environment |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_VAR": str(tmp_path),
        "PORTAL_ORIGIN": "https://sss.contoso.example",
        "TLS_ENDS_AT_PROXY": "yes",
    }
    stack.command("collectstatic", "--noinput")
    address = address_of(start_web(stack))
    stack.command("health", "web", "--address", address)
    plain = stack.command(
        "health", "web", "--address", address, check=False, PORTAL_ORIGIN="http://localhost"
    )
    assert plain.returncode == 1
    assert "400" in plain.stderr


def test_worker_without_a_trace_is_unhealthy(settings: LazySettings, tmp_path: Path) -> None:
    settings.BEAT_FILE = str(tmp_path / "none")
    with pytest.raises(CommandError, match="No worker has left a trace"):
        call_command("health", "worker")


def test_worker_with_an_old_trace_is_unhealthy(settings: LazySettings, tmp_path: Path) -> None:
    settings.BEAT_FILE = str(tmp_path / "beat")
    beat.leave()
    call_command("health", "worker")
    long_ago = time.time() - beat.STALE_S - 1
    os.utime(settings.BEAT_FILE, (long_ago, long_ago))
    with pytest.raises(CommandError, match="61 s ago"):
        call_command("health", "worker")


def test_trace_that_cannot_be_left_stops_nothing(settings: LazySettings, tmp_path: Path) -> None:
    settings.BEAT_FILE = str(tmp_path / "no-folder" / "beat")
    beat.leave()
    assert beat.age_s() is None
