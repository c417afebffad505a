"""docs/unproven.md lists every guess that the code makes about another system, and no other."""

from __future__ import annotations

import re
import subprocess

from tests.production.shipped import ROOT

FOLDERS = ("portal", "sync_setup", "mailboxes", "simulator", "static", "templates")
_ENTRY = re.compile(
    r"^- `([^`]+)`: (.+?)\n  Run: (.+?)\n  Expect: (.+?)(?=\n- |\n\n|\Z)", re.M | re.S
)


def _plain(text: str) -> str:
    return " ".join(text.split())


def guesses() -> list[tuple[str, str]]:
    """Give file and first line of every comment that begins with GUESS."""
    found = subprocess.run(
        ["git", "grep", "--untracked", "-I", "GUESS: ", "--", *FOLDERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    made = []
    for line in found.splitlines():
        path, _, text = line.partition(":")
        if not path.endswith(".md"):
            made.append((path, _plain(text.split("GUESS:", 1)[1].removesuffix("-->"))))
    return made


def entries() -> list[tuple[str, str, str, str]]:
    """Give file, guess, command and expectation of every entry of the page."""
    page = (ROOT / "docs" / "unproven.md").read_text()
    return [
        (path, _plain(guess), _plain(run), _plain(expect))
        for path, guess, run, expect in _ENTRY.findall(page)
    ]


def test_every_guess_is_listed_with_its_file() -> None:
    listed = entries()
    missing = [
        (path, guess)
        for path, guess in guesses()
        if not any(path == file and text.startswith(guess) for file, text, _, _ in listed)
    ]
    assert missing == []


def test_nothing_is_listed_that_is_no_guess_any_more() -> None:
    made = guesses()
    stale = [
        (file, text)
        for file, text, _, _ in entries()
        if not any(path == file and text.startswith(guess) for path, guess in made)
    ]
    assert stale == []


def test_every_entry_says_what_to_run_and_what_to_expect() -> None:
    for path, _, run, expect in entries():
        assert len(run) > 10, path
        assert len(expect) > 5, path
