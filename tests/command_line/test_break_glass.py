"""The local account for the day the identity provider is away, made at a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portal.access.backends import BreakGlass
from portal.access.models import Person
from portal.access.roles import roles_of
from portal.audit.models import Entry
from tests.command_line.running import command, readable

PASSWORD = "correct horse battery staple"


@pytest.fixture
def file(tmp_path: Path, database_url: str) -> str:
    return readable(tmp_path, "password", PASSWORD + "\n")


def signs_in(username: str, password: str) -> bool:
    return BreakGlass().authenticate(None, username=username, password=password) is not None


def test_it_is_made_with_its_role_and_history_says_so(file: str, settings: Any) -> None:
    ended = command("make_break_glass", "glass", "--password-file", file)

    assert ended.code == 0
    assert ended.out == (
        "Break-glass account glass is ready, with the roles: admin. "
        "It is off until BREAK_GLASS is set for the web server.\n"
    )
    person = Person.objects.get(username="glass")
    assert (person.is_break_glass, roles_of(person)) == (True, ["admin"])
    entry = Entry.objects.get(event="person.break_glass_made")
    assert (entry.actor, entry.via, entry.subject) == (
        None,
        "command",
        f"access.person:{person.pk}",
    )
    assert PASSWORD not in str(entry.detail)
    settings.BREAK_GLASS = False
    assert not signs_in("glass", PASSWORD)
    settings.BREAK_GLASS = True
    assert signs_in("glass", PASSWORD)


def test_it_gets_a_new_password(file: str, tmp_path: Path, settings: Any) -> None:
    settings.BREAK_GLASS = True
    command("make_break_glass", "glass", "--password-file", file)
    other = readable(tmp_path, "other", "another password of it\n")

    ended = command(
        *("make_break_glass", "glass", "--password-file", other),
        *("--role", "auditor", "--role", "admin", "--json"),
    )

    assert ended.json == {"username": "glass", "roles": ["admin", "auditor"], "is_on": True}
    assert not signs_in("glass", PASSWORD)
    assert signs_in("glass", "another password of it")


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("glass", "short", "password"),
        ("glass", "", "password"),
        (" ", PASSWORD, "username"),
        ("mira", PASSWORD, "username"),
    ],
)
def test_what_cannot_be_used_makes_nothing(
    mira: Person, tmp_path: Path, name: str, password: str, field: str
) -> None:
    file = readable(tmp_path, "password", password)

    ended = command("make_break_glass", name, "--password-file", file, "--json")

    assert (ended.code, ended.json["error"]["field"]) == (2, field)
    assert list(Person.objects.all()) == [mira]
    assert not Entry.objects.exists()
