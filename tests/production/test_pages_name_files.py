"""What README and docs/ name is there."""

from __future__ import annotations

import re

import pytest

from tests.production.shipped import ROOT

PAGES = [
    page
    for page in (
        "README.md",
        *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    )
    if (ROOT / page).exists()
]
# A path of the repository between backticks, without options or placeholders.
_NAMED = re.compile(
    r"`((?:portal|sync_setup|mailboxes|simulator|templates|static|tests|docs)/[\w./-]*|[\w.-]+\.(?:md|toml|yml|txt))`"
)
_LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_named_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    missing = {name for name in _NAMED.findall(text) if not (ROOT / name).exists()}
    beside = (ROOT / page).parent
    missing |= {name for name in _LINKED.findall(text) if not (beside / name).exists()}
    assert missing == set()


def test_way_of_one_job_names_most_of_the_engine() -> None:
    """A new room of the engine deserves a line in the map."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {path.name for path in (ROOT / "portal" / "jobs").glob("*.py")}
    passive = {"__init__.py", "apps.py", "urls.py", "models.py", "forms.py", "installation.py"}
    named = {room for room in rooms if f"portal/jobs/{room}" in text}
    assert len(named) >= 0.75 * len(rooms - passive)
