"""A process with a mistake in its configuration ends at once and says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.vault import keys
from tests.production.web_process import address_of, start_web
from tests.stack import Stack


def test_web_process_with_the_opening_key_does_not_start(stack: Stack) -> None:
    web = start_web(stack, OPENING_KEY_FILE=str(stack.private_key))
    assert web.popen.wait(30) != 0
    assert "portal.E002" in web.log
    assert "Remove OPENING_KEY_FILE" in web.log


def test_web_process_in_the_role_of_a_worker_does_not_start(stack: Stack) -> None:
    web = start_web(stack, PORTAL_ROLE="worker", OPENING_KEY_FILE=str(stack.private_key))
    assert web.popen.wait(30) != 0
    assert "Set PORTAL_ROLE=web." in web.log


def test_worker_with_another_portals_key_does_not_start(stack: Stack, tmp_path: Path) -> None:
    _, other = keys.make_pair(tmp_path)
    worker = stack.worker_without_broker(OPENING_KEY_FILE=str(other))
    assert worker.popen.wait(30) == 1
    assert "not the other half of SEALING_KEY_FILE" in worker.log
    assert "portal.E003" in worker.log
    assert " ready." not in worker.log


@pytest.mark.parametrize("role", ["web", "command", "boss"])
def test_worker_in_another_role_does_not_start(stack: Stack, role: str) -> None:
    worker = stack.worker_without_broker(PORTAL_ROLE=role)
    assert worker.popen.wait(30) == 1
    assert "Set PORTAL_ROLE=worker." in worker.log


def test_process_on_an_empty_database_does_not_start(stack: Stack, tmp_path: Path) -> None:
    web = start_web(stack, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    assert web.popen.wait(30) != 0
    assert "portal.E005" in web.log
    assert "Run manage.py migrate" in web.log


def test_web_process_without_static_files_does_not_start(stack: Stack, tmp_path: Path) -> None:
    web = start_web(stack, DJANGO_SETTINGS_MODULE="portal.settings", PORTAL_VAR=str(tmp_path))
    assert web.popen.wait(30) != 0
    assert "portal.E007" in web.log


def test_web_and_worker_start_and_are_healthy(stack: Stack, tmp_path: Path) -> None:
    stack.environment["BEAT_FILE"] = str(tmp_path / "beat")
    address = address_of(start_web(stack))
    stack.worker()
    assert "answer" in stack.command("health", "web", "--address", address).stdout
    said = stack.command("health", "worker")
    assert "The worker asked the database 0 s ago." in said.stdout
