"""The tracked files, and the syntax trees of the Python among them: what the rules are read from."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A checkout without git (an image, an archive) still has its rules.
_NOT_OURS = {".git", ".venv", "var", "static-collected", "__pycache__", ".hypothesis"}
PRODUCT = ("portal/", "sync_setup/", "mailboxes/")


@cache
def tracked() -> tuple[str, ...]:
    """Paths of the files of this repository, relative to its root, sorted."""
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if asked.returncode == 0:
        found = asked.stdout.split("\0")
        return tuple(sorted(name for name in found if name and (ROOT / name).is_file()))
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(
        sorted(
            path.as_posix()
            for path in files
            if not _NOT_OURS.intersection(path.parts) and not path.parts[0].endswith("_cache")
        )
    )


def python(*folders: str) -> tuple[str, ...]:
    """The tracked Python files under these folders (``portal/``), or all."""
    return tuple(
        name for name in tracked() if name.endswith(".py") and name.startswith(folders or ("",))
    )


@cache
def text(name: str) -> str:
    """The text of a file; empty for one that is no text."""
    try:
        return (ROOT / name).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(name: str) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(name), name)


def calls(name: str) -> Iterator[ast.Call]:
    """Every call in a Python file."""
    return (node for node in ast.walk(tree(name)) if isinstance(node, ast.Call))


def module_of(name: str) -> str:
    """``portal/jobs/step.py`` as ``portal.jobs.step``."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
