"""The script that makes an installation's secrets, and what it makes."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import LazySettings

from portal import env
from portal.vault import keys
from tests import services
from tests.production.shipped import COMPOSE, PRODUCTION, SERVICES, UNITS, unit_values
from tests.waiting import wait_until

SCRIPT = PRODUCTION / "make-secrets.sh"
BY_HAND = {"sign_in_client_secret", "tls_certificate.pem", "tls_key.pem"}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    subprocess.run([str(SCRIPT), str(folder), "postgres", "redis"], check=True, capture_output=True)
    return folder


def test_makes_every_secret_that_something_uses(made: Path) -> None:
    of_compose = {value["file"].rpartition("/")[2] for value in COMPOSE["secrets"].values()}
    of_units = {
        value.rpartition("/")[2] for name in UNITS for value in unit_values(name, "LoadCredential")
    }
    there = {path.name for path in made.iterdir()}
    assert there | BY_HAND == of_compose | of_units


def test_folder_is_for_its_owner_and_files_cannot_be_changed(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o444}


def test_second_run_keeps_everything_and_says_no_secret(made: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    again = subprocess.run(
        [str(SCRIPT), str(made), "postgres", "redis"], check=True, capture_output=True, text=True
    )
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    assert not any(text.decode().strip() in again.stdout for text in before.values())
    assert "needed tls_key.pem" in again.stdout


def test_keys_are_two_halves_that_the_portal_takes(made: Path, settings: LazySettings) -> None:
    settings.PORTAL_ROLE = "worker"
    settings.SEALING_KEY_FILE = str(made / "sealing.pem")
    settings.OPENING_KEY_FILE = str(made / "opening.pem")
    keys.sealing_key.cache_clear()
    keys.opening_key.cache_clear()
    try:
        assert keys.key_id(keys.opening_key().public_key()) == keys.key_id(keys.sealing_key())
    finally:
        keys.sealing_key.cache_clear()
        keys.opening_key.cache_clear()


def test_portal_and_owner_reach_one_database_with_their_own_passwords(made: Path) -> None:
    owner, portal = (
        env.database((made / name).read_text().strip())
        for name in ("database_url_owner", "database_url")
    )
    assert owner["USER"] == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert owner["NAME"] == portal["NAME"] == SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert owner["PASSWORD"] == (made / "database_owner_password").read_text().strip()
    assert portal["PASSWORD"] == (made / "database_password").read_text().strip()
    assert portal["USER"] in SERVICES["migrate"]["command"][-1]
    assert owner["PASSWORD"] != portal["PASSWORD"]


def test_without_arguments_it_says_what_it_wants() -> None:
    done = subprocess.run([str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "make-secrets.sh FOLDER DATABASE_HOST REDIS_HOST" in done.stderr


@pytest.fixture
def redis_port(made: Path, tmp_path: Path) -> Iterator[Path]:
    """Redis with the options of the compose file, on a socket instead of its port."""
    server = services.find("redis-server")
    if server is None:
        pytest.skip("redis-server is not on this machine")
    options = [str(word) for word in SERVICES["redis"]["command"]][2:]
    options[options.index("--dir") + 1] = str(tmp_path)
    socket = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [server, str(made / "redis.conf"), "--port", "0", "--unixsocket", str(socket), *options],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(socket.exists)
        yield socket
    finally:
        process.terminate()
        process.wait(20)


def test_redis_wants_the_password_and_evicts_nothing(redis_port: Path, made: Path) -> None:
    found = re.fullmatch(r"redis://:(\w+)@redis:6379/0", (made / "redis_url").read_text().strip())
    assert found
    with (
        redis.Redis(unix_socket_path=str(redis_port)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    with redis.Redis(unix_socket_path=str(redis_port), password=found.group(1)) as friend:
        assert friend.ping()
        assert friend.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert friend.config_get("save") == {"save": ""}
