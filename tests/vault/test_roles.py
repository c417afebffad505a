"""Everybody seals; only a worker with the right key opens."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured

from portal import system_checks
from portal.errors import NotFound
from portal.start_checks import demand_sound_configuration
from portal.vault import keys
from portal.vault.actions import open_secret
from tests.vault.conftest import Role, again, forget_keys, sealed

pytestmark = pytest.mark.usefixtures("database_url")


@pytest.mark.parametrize("role", ["web", "command"])
def test_web_and_command_seal_but_do_not_open(become: Role, role: str) -> None:
    become(role)
    secret = sealed(b"sealed by anybody")

    with pytest.raises(ImproperlyConfigured, match="Only a worker opens secrets"):
        open_secret(again(secret))

    become("worker")
    assert open_secret(again(secret)).reveal() == b"sealed by anybody"


@pytest.mark.parametrize("role", ["web", "command"])
def test_the_opening_key_helps_no_other_role(
    become: Role, settings: Any, opening_key_file: Path, role: str
) -> None:
    become(role)
    settings.OPENING_KEY_FILE = str(opening_key_file)

    with pytest.raises(ImproperlyConfigured, match="Only a worker opens secrets"):
        open_secret(again(sealed()))


def test_a_web_process_with_the_opening_key_does_not_start(
    become: Role, settings: Any, opening_key_file: Path
) -> None:
    become("web")
    settings.OPENING_KEY_FILE = str(opening_key_file)

    assert [error.id for error in system_checks.keys_fit_the_role(None)] == ["portal.E002"]
    with pytest.raises(ImproperlyConfigured, match=r"portal\.E002"):
        demand_sound_configuration("web")


def test_a_role_that_does_not_exist_does_not_start(settings: Any) -> None:
    settings.PORTAL_ROLE = "Worker"

    assert [error.id for error in system_checks.keys_fit_the_role(None)] == ["portal.E001"]


def test_a_process_starts_only_as_what_it_is_configured_for(become: Role) -> None:
    become("worker")

    with pytest.raises(ImproperlyConfigured, match="PORTAL_ROLE=web"):
        demand_sound_configuration("web")
    demand_sound_configuration("worker")


def test_a_worker_without_a_key_is_refused(become: Role, settings: Any) -> None:
    become("worker")
    settings.OPENING_KEY_FILE = ""

    refused_at_start("is missing or no private key")


def test_a_worker_with_a_file_that_is_no_key_is_refused(
    become: Role, settings: Any, tmp_path: Path
) -> None:
    become("worker")
    file = tmp_path / "opening.pem"
    file.write_text("no key")
    settings.OPENING_KEY_FILE = str(file)

    refused_at_start("is missing or no private key")


def test_a_worker_with_another_kind_of_key_is_refused(
    become: Role, settings: Any, tmp_path: Path
) -> None:
    become("worker")
    file = tmp_path / "opening.pem"
    file.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    settings.OPENING_KEY_FILE = str(file)

    refused_at_start("must hold an X25519 private key")


def test_a_worker_with_the_key_of_another_pair_is_refused(
    become: Role, settings: Any, tmp_path: Path
) -> None:
    become("worker")
    _, settings.OPENING_KEY_FILE = map(str, keys.make_pair(tmp_path))

    refused_at_start("not the other half")


def refused_at_start(reason: str) -> None:
    """At the start of the process, and at the secret too should somebody start it all the same."""
    errors = system_checks.keys_fit_the_role(None)
    assert [error.id for error in errors] == ["portal.E003"]
    assert reason in errors[0].msg
    with pytest.raises(ImproperlyConfigured, match=reason):
        demand_sound_configuration("worker")
    with pytest.raises(ImproperlyConfigured, match=reason):
        open_secret(again(sealed()))


def test_a_secret_of_an_older_pair_says_that_the_key_is_another(
    become: Role, settings: Any, tmp_path: Path, sealing_with: Callable[[Path], None]
) -> None:
    become("worker")
    secret = sealed(label="setup app client secret")
    public, private = keys.make_pair(tmp_path)
    sealing_with(public)
    settings.OPENING_KEY_FILE = str(private)

    with pytest.raises(NotFound) as caught:
        open_secret(again(secret))

    assert caught.value.code == "SSS-SECRET-KEY"
    assert "setup app client secret" in str(caught.value)
    assert again(secret).key_id != keys.key_id(keys.sealing_key())


@pytest.mark.parametrize("content", [None, b"", b"no key", b"private"])
def test_nothing_is_sealed_without_a_public_key(
    tmp_path: Path, sealing_with: Callable[[Path], None], content: bytes | None
) -> None:
    file = tmp_path / "sealing.pem"
    if content is not None:
        file.write_bytes(content)
    sealing_with(file)

    with pytest.raises(ImproperlyConfigured, match="SEALING_KEY_FILE"):
        sealed()


def test_a_pair_is_made_once_and_its_private_half_is_the_owners_alone(tmp_path: Path) -> None:
    public, private = keys.make_pair(tmp_path / "keys")
    before = public.read_bytes(), private.read_bytes()

    assert keys.make_pair(tmp_path / "keys") == (public, private)
    assert (public.read_bytes(), private.read_bytes()) == before
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700


def test_keys_are_read_once_a_process(become: Role, tmp_path: Path, settings: Any) -> None:
    become("worker")
    key = keys.opening_key()
    settings.OPENING_KEY_FILE = str(tmp_path / "gone.pem")

    assert keys.opening_key() is key
    forget_keys()
    with pytest.raises(ImproperlyConfigured):
        keys.opening_key()
