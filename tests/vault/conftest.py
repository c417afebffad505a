from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from portal.access.models import Scope
from portal.vault import keys
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from tests.environment import FOLDER

Role = Callable[[str], None]


def forget_keys() -> None:
    """Keys are read once a process; a test that gives a process other keys lets it read again."""
    keys.sealing_key.cache_clear()
    keys.opening_key.cache_clear()


@pytest.fixture(autouse=True)
def _keys_of_this_test(_keys: None) -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def opening_key_file() -> Path:
    """The private half of the key pair that every test of this process seals with."""
    _, private = keys.make_pair(FOLDER / "keys")
    return private


@pytest.fixture
def become(settings: Any, opening_key_file: Path) -> Role:
    """Let this process be the web tier, a command or a worker (which has the opening key)."""

    def become(role: str) -> None:
        forget_keys()
        settings.PORTAL_ROLE = role
        settings.OPENING_KEY_FILE = str(opening_key_file) if role == "worker" else ""

    return become


@pytest.fixture
def worker(become: Role) -> None:
    become("worker")


@pytest.fixture
def sealing_with(settings: Any) -> Iterator[Callable[[Path], None]]:
    """Seal with another public key."""
    before = django_settings.SEALING_KEY_FILE

    def use(public: Path) -> None:
        forget_keys()
        settings.SEALING_KEY_FILE = str(public)

    yield use
    settings.SEALING_KEY_FILE = before


def sealed(
    value: bytes = b"the value",
    *,
    kind: str = Secret.Kind.JOB,
    label: str = "PFX file",
    scope: Scope | None = None,
) -> Secret:
    return seal_secret(value, kind=kind, label=label, by=None, scope=scope)


def again(secret: Secret) -> Secret:
    """The row as the database has it now."""
    return Secret.objects.get(pk=secret.pk)
