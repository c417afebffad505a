"""The closed catalogue of what history can say, with its wording. Apps add their own at start.

Wording is a template over the entry's detail; the page puts actor, time and subject around it.
"""

from __future__ import annotations

from collections.abc import Mapping

_events: dict[str, str] = {}


def register(wording: Mapping[str, str]) -> None:
    """Add events with their words, such as ``{"job.approved": "approved exactly this plan"}``.

    :raises ValueError: when an event is there already with other words.
    """
    for event, words in wording.items():
        if _events.setdefault(event, words) != words:
            raise ValueError(f"Event {event} has two wordings.")


def known(event: str) -> bool:
    """Tell whether the catalogue has the event."""
    return event in _events


def words(event: str) -> str:
    """Give the plain words of an event."""
    return _events.get(event, event)


def catalogue() -> dict[str, str]:
    """Give all events with their words, sorted by name."""
    return dict(sorted(_events.items()))


register(
    {
        "person.signed_in": "signed in",
        "person.signed_out": "signed out",
        "person.sign_in_refused": "was refused at sign-in",
        "person.role_given": "was given a role",
        "person.break_glass_made": "was given the password of a break-glass account",
    }
)
