from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from portal.access.models import Person, Role, RoleGrant, Scope
from portal.vault import keys
from tests.database import fresh_database
from tests.environment import FOLDER
from tests.stack import Stack


@pytest.fixture(scope="session", autouse=True)
def _keys() -> None:
    public, _ = keys.make_pair(FOLDER / "keys")
    settings.SEALING_KEY_FILE = str(public)


@pytest.fixture
def database_url(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of this test's own, which other processes can see."""
    with django_db_blocker.unblock(), fresh_database() as url:
        yield url


@pytest.fixture
def stack(database_url: str) -> Iterator[Stack]:
    """The portal's processes on this test's database; whatever is still running is killed."""
    stack = Stack(database_url)
    yield stack
    stack.close()


@pytest.fixture
def scope(database_url: str) -> Scope:
    return Scope.objects.create(
        kind="organization", slug="contoso", title="Contoso", is_simulated=True
    )


def make_person(username: str, role: str, scope: Scope | None = None) -> Person:
    person = Person.objects.create(username=username, name=username.title())
    RoleGrant.objects.create(person=person, role=role, scope=scope, source="portal")
    return person


@pytest.fixture
def mira(database_url: str) -> Person:
    """Requests everywhere."""
    return make_person("mira", Role.REQUESTER)


@pytest.fixture
def jonas(database_url: str) -> Person:
    """Approves everywhere."""
    return make_person("jonas", Role.APPROVER)
