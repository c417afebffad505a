"""docker-compose.yml, checked as far as that goes without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.production.shipped import (
    COMPOSE,
    FOREIGN,
    ROOT,
    SERVICES,
    example_settings,
    settings_read,
)

OURS = ("web", "worker", "migrate")


def _client() -> list[str] | None:
    """Give a compose client that is on this machine; the plugin before the older program."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True)
            if asked.returncode == 0:
                return command
    return None


@pytest.mark.skipif(_client() is None, reason="No docker compose client on this machine")
def test_client_reads_it(tmp_path: Path) -> None:
    client = _client()
    assert client
    text = (ROOT / "docker-compose.yml").read_text()
    if client == [
        "docker-compose"
    ]:  # version 1 takes the project's name from the command line only
        text = re.sub(r"(?m)^name: .*\n", "", text)
    (tmp_path / "docker-compose.yml").write_text(text)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    done = subprocess.run([*client, "config"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "PORTAL_ORIGIN: https://sss.contoso.example" in done.stdout


@pytest.mark.parametrize("name", [*OURS, "simulator"])
def test_every_variable_is_a_setting_of_the_portal(name: str) -> None:
    known = set(settings_read()) | FOREIGN
    asked = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}
    files = {"SEALING_KEY", "OPENING_KEY", "BEAT"}  # settings whose own name ends in _FILE
    assert {variable for variable in asked - files if variable not in known} == set()
    assert {f"{file}_FILE" for file in files} <= known


def test_every_choice_of_the_person_is_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    asked = dict(re.findall(r"\$\{([A-Z_]+)(:[?-])", text))
    example = example_settings()
    for variable, kind in asked.items():
        assert variable in example or kind == ":-", variable
    unknown = set(example) - set(asked) - set(settings_read())
    assert unknown == set()


def test_defaults_of_images_are_those_of_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    defaults = dict(re.findall(r"\$\{([A-Z]+_IMAGE):-([^}]+)\}", text))
    assert len(defaults) == 4
    assert {name: example_settings()[name] for name in defaults} == defaults
    assert defaults["PYTHON_IMAGE"] in (ROOT / "Dockerfile").read_text()


def test_only_the_worker_is_given_the_opening_key() -> None:
    holders = [name for name, service in SERVICES.items() if "opening_key" in str(service)]
    assert holders == ["worker"]
    roles = {name: SERVICES[name]["environment"]["PORTAL_ROLE"] for name in OURS}
    assert roles == {"web": "web", "worker": "worker", "migrate": "command"}


def test_only_the_migration_is_the_owner() -> None:
    holders = [name for name, service in SERVICES.items() if "database_url_owner" in str(service)]
    assert holders == ["migrate"]


def test_secrets_are_files_that_exist_for_somebody() -> None:
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        named = set(re.findall(r"/run/secrets/(\w+)", str(service)))
        assert named <= set(service.get("secrets", []))


@pytest.mark.parametrize(("name", "service"), SERVICES.items())
def test_service_is_locked_down(name: str, service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", ["proxy", "web", "worker", "postgres", "redis"])
def test_service_that_stays_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_the_proxy_is_reached_from_outside_and_the_database_reaches_nothing() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["proxy"]["networks"] == ["front"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["back"]
    assert "outside" not in SERVICES["web"]["networks"]


def test_worker_has_time_to_end_its_step() -> None:
    assert SERVICES["worker"]["stop_grace_period"] == "120s"


def test_simulator_needs_to_be_asked_for() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["simulator"]
    assert not SERVICES["simulator"].get("secrets")


def test_redis_never_forgets_a_message_to_make_room() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
