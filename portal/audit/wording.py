"""How a line of history reads: words over the entry's own columns, instants in the reader's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from portal.audit import events
from portal.audit.models import Entry
from portal.jobs.field_words import words_of
from portal.jobs.lines import Line, lines_of, written

_VIA = {"web": "page", "worker": "background", "command": "command line"}
# What has a place of its own on the page of an entry, or is too long for a line.
_APART = ("before", "after", "wanted", "inputs", "drift", "plan", "approval")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class ShownEntry:
    """An entry in words: who did what, on what, with what detail."""

    entry: Entry
    words: str
    via: str
    summary: str


def shown(entry: Entry) -> ShownEntry:
    """Write an entry as one line of the list."""
    rest = {name: value for name, value in entry.detail.items() if name not in _APART}
    return ShownEntry(
        entry=entry,
        words=events.words(entry.event),
        via=_VIA.get(entry.via, entry.via),
        summary=" · ".join(
            _part(name, value) for name, value in rest.items() if value not in (None, "")
        ),
    )


def _part(name: str, value: Any) -> str:
    if name == "digest":
        return f"plan {str(value)[:8]}"
    if name == "code":
        return str(value)
    return f"{named(name)} {_written(value)}".strip()


def _written(value: Any) -> str:
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return f"{timezone.localtime(datetime.fromisoformat(value)):%-d %b %Y, %H:%M}"
    return written(value)


def named(name: str) -> str:
    """Write the name of a detail as words."""
    return {"position": "step", "key": "", "kind": ""}.get(name, name.replace("_", " ")).strip()


def lines(entry: Entry) -> tuple[Line, ...]:
    """Give before → after (or → wanted, where it was only intended) of an entry that changed something."""
    before = entry.detail.get("before")
    after = entry.detail.get("after", entry.detail.get("wanted"))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ()
    return lines_of(before, after, words=words_of(str(entry.detail.get("key", ""))))


def rest(entry: Entry) -> list[tuple[str, str]]:
    """Give every other detail, in full."""
    apart = ("before", "after", "wanted") if lines(entry) else ()
    return [
        (name.replace("_", " "), _written(value))
        for name, value in entry.detail.items()
        if name not in apart
    ]
