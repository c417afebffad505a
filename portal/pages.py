"""What stands around every page, and what apps add to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest

from portal.access.models import Person
from portal.access.roles import roles_of
from portal.jobs.models import Installation, Job
from portal.jobs.states import AT_WORK, JobState


@dataclass(frozen=True)
class NavigationItem:
    """One entry of the left navigation: url name, icon, words, and whose it is (empty: everybody's)."""

    url_name: str
    icon: str
    title: str
    roles: tuple[str, ...] = ()
    count: Callable[[Person], int] | None = None
    count_words: str = ""


@dataclass(frozen=True)
class Deadline:
    """A date that stands in the top bar until it has passed."""

    words: str
    on: date
    url_name: str


_navigation: list[tuple[int, NavigationItem]] = []
_deadlines: list[Deadline] = []


def add_to_navigation(position: int, item: NavigationItem) -> None:
    """Have an entry in the navigation of every page; smaller positions stand higher."""
    _navigation.append((position, item))
    _navigation.sort(key=lambda pair: pair[0])


def add_deadline(deadline: Deadline) -> None:
    """Have a date in the top bar of every page."""
    _deadlines.append(deadline)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give the templates what stands around every page: navigation, person, mode, deadlines."""
    person = getattr(request, "user", None)
    installation = Installation.objects.first()
    found: dict[str, Any] = {
        "is_rehearsal": installation is not None and installation.mode == "rehearsal",
        "deadlines": _deadlines,
    }
    if not isinstance(person, Person):
        return found
    roles = roles_of(person)
    items = [item for _, item in _navigation if not item.roles or set(item.roles) & set(roles)]
    return found | {
        "person_roles": roles,
        "navigation": [(item, item.count(person) if item.count else 0) for item in items],
    }


def _waiting(person: Person) -> int:
    return (
        Job.objects.for_person(person, "approver")
        .filter(state=JobState.AWAITING_APPROVAL)
        .exclude(requester=person)
        .count()
    )


def _running(person: Person) -> int:
    return Job.objects.for_person(person).filter(state__in=AT_WORK).count()


add_to_navigation(10, NavigationItem("overview", "home", "Overview"))
add_to_navigation(
    20, NavigationItem("jobs:approvals", "person", "Approvals", count=_waiting, count_words="waiting")
)
add_to_navigation(40, NavigationItem("jobs:list", "job", "Jobs", count=_running, count_words="running"))
add_to_navigation(60, NavigationItem("audit:list", "hist", "History"))
