"""What stands around every page, and what apps add to it: navigation, deadlines, panels, tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.access.models import Person, Scope
from portal.access.roles import has_role, has_role_everywhere, roles_of
from portal.jobs.models import Installation, Job
from portal.jobs.policy import one_person_scopes
from portal.jobs.shown import waiting_for
from portal.jobs.states import AT_CHECKS, AT_WORK


@dataclass(frozen=True)
class NavigationItem:
    """One entry of the left navigation: url name, icon, words, and whose it is (empty: everybody's).

    :param everywhere: the role must count in all scopes: what the page is about belongs to none.
    :param count: how many of what waits or runs; it stands beside the words.
    :param count_colour: what the count means: purple, a person is needed; blue, the machine is at work.
    :param under: url names (``app:name`` or ``app:``) whose pages also stand under this entry.
    """

    url_name: str
    icon: str
    title: str
    roles: tuple[str, ...] = ()
    count: Callable[[Person], int] | None = None
    count_words: str = ""
    count_colour: str = "purple"
    under: tuple[str, ...] = ()
    everywhere: bool = False


@dataclass(frozen=True)
class Deadline:
    """A date that stands in the top bar until it has passed: "EWS ends" becomes "EWS ends in 129 days"."""

    words: str
    on: date
    url_name: str

    @property
    def days_left(self) -> int:
        return (self.on - timezone.localdate()).days


@dataclass(frozen=True)
class Panel:
    """A part of a page that an app fills.

    :param template: a fragment; it gets what ``context`` gives, as ``panel``.
    :param context: called with what the place is about; None leaves the panel out.
    """

    template: str
    context: Callable[..., Mapping[str, Any] | None]


@dataclass(frozen=True)
class Need:
    """A row under "Needs you" that an app brings: what is wrong, where, and the way there."""

    colour: str
    icon: str
    title: str
    url: str
    meta: str = ""
    button: str = "Open"


@dataclass(frozen=True)
class Beginning:
    """A button at the top of the overview by which something new begins, for those who hold a role."""

    url_name: str
    icon: str
    title: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tab:
    """A page about one scope, among its others; its url takes the scope's slug."""

    url_name: str
    title: str
    count: Callable[[Scope], int] | None = None


_navigation: list[tuple[int, NavigationItem]] = []
_deadlines: list[Deadline] = []
_overview_panels: list[tuple[int, Panel]] = []
_job_panels: list[tuple[int, Panel]] = []
_needs: list[Callable[[Person], Iterable[Need]]] = []
_beginnings: list[Beginning] = []
_tabs: list[tuple[int, Tab]] = []


def add_to_navigation(position: int, item: NavigationItem) -> None:
    """Have an entry in the navigation of every page; smaller positions stand higher."""
    _navigation.append((position, item))
    _navigation.sort(key=lambda pair: pair[0])


def add_deadline(deadline: Deadline) -> None:
    """Have a date in the top bar of every page."""
    _deadlines.append(deadline)


def add_overview_panel(position: int, panel: Panel) -> None:
    """Have a panel on the overview; its ``context`` gets the person."""
    _overview_panels.append((position, panel))
    _overview_panels.sort(key=lambda pair: pair[0])


def add_job_panel(position: int, panel: Panel) -> None:
    """Have a panel beside plan, approval and run of a job; its ``context`` gets job and person."""
    _job_panels.append((position, panel))
    _job_panels.sort(key=lambda pair: pair[0])


def add_needs(needs: Callable[[Person], Iterable[Need]]) -> None:
    """Have rows under "Needs you", most urgent first."""
    _needs.append(needs)


def add_beginning(beginning: Beginning) -> None:
    """Have a button at the top of the overview."""
    _beginnings.append(beginning)


def add_tab(position: int, tab: Tab) -> None:
    """Have a tab on the pages of every scope."""
    _tabs.append((position, tab))
    _tabs.sort(key=lambda pair: pair[0])


@dataclass(frozen=True)
class FilledPanel:
    """A panel with what it shows: the name of its template and the values in it."""

    template: str
    content: Mapping[str, Any]


def overview_panels(person: Person) -> list[FilledPanel]:
    """Give the overview's panels that have something to show to this person."""
    return _filled(_overview_panels, person)


def job_panels(job: Job, person: Person) -> list[FilledPanel]:
    """Give the panels that have something to show beside this job."""
    return _filled(_job_panels, job, person)


def _filled(panels: list[tuple[int, Panel]], *about: object) -> list[FilledPanel]:
    asked = [(panel.template, panel.context(*about)) for _, panel in panels]
    return [FilledPanel(template, content) for template, content in asked if content is not None]


def needs_of(person: Person) -> list[Need]:
    """Give what apps say needs this person."""
    return [need for needs in _needs for need in needs(person)]


def beginnings_of(person: Person) -> list[Beginning]:
    """Give what this person may begin."""
    roles = set(roles_of(person))
    return [item for item in _beginnings if not item.roles or roles & set(item.roles)]


def tabs_of(scope: Scope) -> list[tuple[str, Tab, int | None]]:
    """Give url, tab and count of every page about the scope, for ``_tabs.html``."""
    return [
        (reverse(tab.url_name, args=[scope.slug]), tab, tab.count(scope) if tab.count else None)
        for _, tab in _tabs
    ]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give the templates what stands around every page; read only where a template asks for it."""
    found: dict[str, Any] = {
        "is_rehearsal": SimpleLazyObject(_is_rehearsal),
        "deadlines": [item for item in _deadlines if item.days_left >= 0],
    }
    person = getattr(request, "user", None)
    if not isinstance(person, Person):
        return found
    return found | {
        "one_person": SimpleLazyObject(lambda: one_person_scopes(person)),
        "person_roles": SimpleLazyObject(lambda: roles_of(person)),
        "navigation": SimpleLazyObject(lambda: _navigation_of(request, person)),
    }


def _is_rehearsal() -> bool:
    installation = Installation.objects.first()
    return installation is not None and installation.mode == "rehearsal"


def _navigation_of(request: HttpRequest, person: Person) -> list[tuple[NavigationItem, int, bool]]:
    """Give every entry this person sees, its count, and whether the page shown stands under it."""
    items = [item for _, item in _navigation if _may_open(item, person)]
    here = request.resolver_match.view_name if request.resolver_match else ""
    return [
        (item, item.count(person) if item.count else 0, _stands_under(here, item)) for item in items
    ]


def _may_open(item: NavigationItem, person: Person) -> bool:
    holds = has_role_everywhere if item.everywhere else has_role
    return not item.roles or any(holds(person, role) for role in item.roles)


def _stands_under(view_name: str, item: NavigationItem) -> bool:
    return view_name == item.url_name or any(
        view_name == name or (name.endswith(":") and view_name.startswith(name))
        for name in item.under
    )


def _waiting(person: Person) -> int:
    return waiting_for(person).count()


def _running(person: Person) -> int:
    return Job.objects.for_person(person).filter(state__in=AT_WORK + AT_CHECKS).count()


add_to_navigation(10, NavigationItem("overview", "home", "Overview"))
add_to_navigation(
    20,
    NavigationItem(
        "jobs:approvals",
        "person",
        "Approvals",
        count=_waiting,
        count_words="waiting",
        under=("jobs:review", "jobs:approve", "jobs:send-back", "jobs:reject"),
    ),
)
add_to_navigation(
    40,
    NavigationItem(
        "jobs:list",
        "job",
        "Jobs",
        count=_running,
        count_words="running",
        count_colour="blue",
        under=("jobs:job", "jobs:log", "jobs:send"),
    ),
)
add_to_navigation(60, NavigationItem("audit:list", "hist", "History", under=("audit:entry",)))
