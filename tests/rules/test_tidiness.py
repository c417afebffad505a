"""What no file of the repository may hold."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser

import pytest

from tests.rules.sources import python, text, tracked, tree

TOP = {
    *("portal", "sync_setup", "mailboxes", "simulator", "templates", "static", "tests", "docs"),
    *("manage.py", "pyproject.toml", "Makefile", "README.md", "LICENSE"),
    *("Dockerfile", "docker-compose.yml", ".dockerignore", ".gitignore", ".env.example", ".ci"),
}
_REQUIREMENTS = re.compile(r"requirements(-[a-z]+)?\.(in|txt)")
# A path of the machine that somebody wrote this on; a container's are named /app, /run and /var.
_MACHINE = re.compile(r"(?<![\w.\-/<}])/(?:work|root|home|Users)(?![\w-])")
_REGISTRY = re.compile(
    r"\b(?:[\w-]+\.)*(?:pypi|pythonhosted|artifactory|jfrog|nexus|npmjs|devpi|quay|ghcr)"
    r"(?:[\w-]*\.)+(?:org|com|io|net|local|internal|corp)\b"
    r"|--(?:extra-)?index-url[ =]\S|\bPIP_(?:EXTRA_)?INDEX_URL\b",
    re.IGNORECASE,
)
_BARE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")
_BARE_NOQA = re.compile(r"#\s*noqa(?!:\s*[A-Z]+[0-9]+)", re.IGNORECASE)


def _found(pattern: re.Pattern[str], names: tuple[str, ...]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name in names
        for number, line in enumerate(text(name).splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_top_of_the_repository_has_only_what_belongs_there() -> None:
    top = {name.partition("/")[0] for name in tracked()}

    assert sorted(name for name in top - TOP if not _REQUIREMENTS.fullmatch(name)) == []


def test_no_file_names_a_path_of_a_machine() -> None:
    assert _found(_MACHINE, tracked()) == []


def test_no_file_names_a_package_registry() -> None:
    assert _found(_REGISTRY, tracked()) == []


def test_nothing_is_ignored_without_saying_what() -> None:
    others = tuple(name for name in python() if name != "tests/rules/test_tidiness.py")

    assert _found(_BARE_IGNORE, others) == []
    assert _found(_BARE_NOQA, others) == []


@pytest.mark.parametrize("name", python())
def test_nobody_imports_mock(name: str) -> None:
    """Our own code is not replaced in tests: the outside is the simulator, and time is a setting."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        assert not [module for module in modules if re.match(r"unittest\.mock|mock\b", module)]


class _Inline(HTMLParser):
    """Collects what a strict Content-Security-Policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self._in_script = tag == "script"
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"{tag} {name}=")
            if (value or "").lower().lstrip().startswith(("javascript:", "data:text")):
                self.found.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append("code in <script>")


def _inline(page: str) -> list[str]:
    parser = _Inline()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("name", [name for name in tracked() if name.startswith("templates/")])
def test_no_template_has_code_or_style_of_its_own(name: str) -> None:
    assert _inline(text(name)) == []
    assert not re.search(r"<style|\sstyle=", text(name))


@pytest.mark.parametrize(
    "page",
    [
        "<script>go()</script>",
        '<script src="a.js">go()</script>',
        "<style>a {}</style>",
        '<p style="color: red">',
        '<a onclick="go()">',
        '<a hx-on:click="go()">',
        '<a href="javascript:go()">',
    ],
)
def test_the_rule_sees_what_is_inline(page: str) -> None:
    assert _inline(page)
    assert not _inline('<script src="a.js" defer></script><p class="a" data-on="x">')
