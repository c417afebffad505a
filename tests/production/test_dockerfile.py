"""The image's recipe, replayed without a container engine: the same files, the same commands."""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.production.shipped import ROOT, SERVICES
from tests.production.web_process import address_of, start_web
from tests.stack import Stack

TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]


def stages() -> dict[str, list[str]]:
    """Give the instructions of each stage by its name."""
    found: dict[str, list[str]] = {}
    for line in LINES:
        if named := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            found[named.group(2)] = []
        elif found:
            found[list(found)[-1]].append(line)
    return found


def copied(stage: str) -> list[tuple[str, str]]:
    """Give source and target of what a stage takes from the checkout."""
    lines = (shlex.split(line) for line in stages()[stage] if line.startswith("COPY "))
    return [(words[1], words[2]) for words in lines if not words[1].startswith("--from")]


def allowed_into_the_build(source: str) -> bool:
    lines = (ROOT / ".dockerignore").read_text().split()
    top = source.split("/", maxsplit=1)[0]
    return any(line == f"!{top}" for line in lines) and not any(
        fnmatch.fnmatch(source, line) for line in lines if "__pycache__" in line
    )


@pytest.mark.parametrize("stage", stages())
def test_everything_copied_is_there_and_not_left_out(stage: str) -> None:
    for source, _ in copied(stage):
        assert (ROOT / source).exists(), source
        assert allowed_into_the_build(source), source


def test_every_package_comes_with_its_hash() -> None:
    installs = [line for line in LINES if "pip install" in line]
    assert len(installs) == 3
    assert all("--require-hashes" in line for line in installs)


def test_images_that_run_have_no_compiler_and_no_root() -> None:
    found = stages()
    for name in ("portal-files", "portal-base", "portal-kerberos", "simulator", "portal"):
        assert "gcc" not in " ".join(found[name])
        assert "pip" not in " ".join(found[name])
    for name in ("portal-base", "portal-kerberos", "simulator"):
        assert [line for line in found[name] if line.startswith("USER")][-1] == "USER 10001:10001"


def test_stages_that_are_asked_for_exist() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    targets = set(re.findall(r"target: (?:\$\{PORTAL_TARGET:-)?(\w+)", text))
    assert targets == {"portal", "simulator"}
    assert {*targets, "portal-kerberos"} <= set(stages())
    assert list(stages())[-1] == "portal"


def test_files_of_the_image_are_enough_to_start(stack: Stack, tmp_path: Path) -> None:
    """What is not copied into the image is missing here too: tests, docs, simulator, lock files."""
    tree = tmp_path / "opt"
    tree.mkdir()
    for source, target in copied("portal-files"):
        place = tree / target
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, place)
    stack.environment |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONPATH": "",
        "PORTAL_VAR": str(tree / "var"),
    }
    commands = next(line for line in stages()["portal-base"] if "collectstatic" in line)
    path = f"{Path(sys.executable).parent}:{stack.environment['PATH']}"
    subprocess.run(
        ["sh", "-c", commands.removeprefix("RUN ")],
        cwd=tree,
        env=stack.environment | {"PATH": path},
        check=True,
        capture_output=True,
    )
    assert (tree / "var" / "static" / "staticfiles.json").exists()
    assert list((tree / "sync_setup" / "inspection" / "child").glob("__pycache__/main.*.pyc"))
    web = start_web(stack, folder=tree)
    stack.command("health", "web", "--address", address_of(web))
    migrate = shlex.split(str(SERVICES["migrate"]["command"][-1]).split("&&")[0])
    subprocess.run(
        [sys.executable, *migrate[1:]],
        cwd=tree,
        env=stack.environment,
        check=True,
        capture_output=True,
    )
