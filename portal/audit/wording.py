"""How a line of history reads. Pure, over the entry's own columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.audit import events
from portal.audit.models import Entry
from portal.jobs.lines import Line, lines_of, written

_VIA = {"web": "page", "worker": "background", "command": "command line"}
# What has a place of its own on the page of an entry, or is too long for a line.
_APART = ("before", "after", "wanted", "inputs", "drift")


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
    return f"{named(name)} {written(value)}"


def named(name: str) -> str:
    """Write the name of a detail as words."""
    return {"position": "step", "key": "", "kind": ""}.get(name, name.replace("_", " ")).strip()


def lines(entry: Entry) -> tuple[Line, ...]:
    """Give before → after (or → wanted, where it was only intended) of an entry that changed something."""
    before = entry.detail.get("before")
    after = entry.detail.get("after", entry.detail.get("wanted"))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ()
    return lines_of(before, after)


def rest(entry: Entry) -> list[tuple[str, str]]:
    """Give every other detail, in full."""
    apart = ("before", "after", "wanted") if lines(entry) else ()
    return [
        (name.replace("_", " "), written(value))
        for name, value in entry.detail.items()
        if name not in apart
    ]
