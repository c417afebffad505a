"""What this app adds to pages that are not its own: navigation, the EWS date, tabs, panels, needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse

from portal import pages
from portal.access.models import Person, Role, Scope
from portal.jobs.models import Job
from sync_setup import ews, look_state, shown
from sync_setup.models import Organization, ServerProfile, TokenCertificate
from sync_setup.presentation import plan_words
from sync_setup.presentation.profiles import changes_of

_SHOWN = 20
_ORGANIZATION_PAGES = tuple(
    f"sync_setup:{name}"
    for name in (
        *("organization", "certificates", "organization-jobs", "organization-history", "answers"),
        *("record-answer", "profiles", "profile", "change-profile", "new-profile", "new-setup"),
        *("wizard-certificate", "wizard-inspection", "wizard-preflight", "wizard-plan"),
    )
)
_SETTINGS_PAGES = tuple(
    f"sync_setup:{name}"
    for name in (
        *("new-organization", "new-tenant", "tenant", "new-deployment", "deployment"),
        *("add-server", "change-server", "policies"),
    )
)


_CHANGING = (shown.CONNECT, shown.CHANGE_PROFILE)


def register() -> None:
    """Add all of it; called once, at start."""
    plan_words.register()
    organizations = pages.NavigationItem(
        "sync_setup:organizations", "org", "Organizations", under=_ORGANIZATION_PAGES
    )
    settings = pages.NavigationItem(
        "sync_setup:settings",
        "gear",
        "Settings",
        (Role.ADMIN,),
        under=_SETTINGS_PAGES,
        everywhere=True,
    )
    pages.add_to_navigation(30, organizations)
    pages.add_to_navigation(90, settings)
    pages.add_deadline(pages.Deadline("EWS ends", ews.END.on, "sync_setup:ews"))
    pages.add_beginning(
        pages.Beginning("sync_setup:new-setup", "plus", "New setup", (Role.REQUESTER,))
    )
    pages.add_needs(ending_soon)
    pages.add_overview_panel(
        10, pages.Panel("sync_setup/_organizations_panel.html", _organizations)
    )
    pages.add_job_panel(10, pages.Panel("sync_setup/_certificate_panel.html", _certificate))
    pages.add_job_panel(15, pages.Panel("sync_setup/_profile_change_panel.html", _profile_change))
    pages.add_job_panel(20, pages.Panel("sync_setup/_doors_panel.html", _doors))
    pages.add_job_panel(30, pages.Panel("sync_setup/_reading_panel.html", _reading))
    pages.add_tab(10, pages.Tab("sync_setup:organization", "Readiness"))
    pages.add_tab(20, pages.Tab("sync_setup:profiles", "Server profiles", _profile_count))
    pages.add_tab(40, pages.Tab("sync_setup:certificates", "Certificates"))
    pages.add_tab(50, pages.Tab("sync_setup:answers", "Recorded answers"))
    pages.add_tab(60, pages.Tab("sync_setup:organization-jobs", "Jobs", _job_count))
    pages.add_tab(70, pages.Tab("sync_setup:organization-history", "History"))


def ending_soon(person: Person) -> Iterator[pages.Need]:
    """Name what ends soon or fails in the organizations for which this person may ask for a setup."""
    mine = Organization.objects.for_person(person, Role.REQUESTER).select_related(
        "scope", "deployment", "tenant"
    )
    for row in shown.organizations_shown(list(mine.order_by("unique_name")[:_SHOWN])):
        chain = [item for group in row.readiness.groups[1:2] for item in group.items]
        worst = [item for item in chain if item.look.colour == "red" and not item.in_job] or [
            item for item in chain if item.look.word.startswith("Ends in") and not item.in_job
        ]
        if worst:
            first = worst[0]
            yield pages.Need(
                colour=first.look.colour,
                icon=first.look.icon,
                title=f"{row.organization}: {first.title.removeprefix('= ')}: {first.look.word}",
                url=reverse("sync_setup:organization", args=[row.organization.scope.slug]),
                meta=first.text,
            )


def _organizations(person: Person) -> Mapping[str, Any] | None:
    found = Organization.objects.for_person(person).select_related("scope", "deployment", "tenant")
    organizations = list(found.order_by("unique_name")[:_SHOWN])
    if not organizations:
        return None
    return {
        "rows": shown.organizations_shown(organizations),
        "more": found.count() > _SHOWN,
        "end": ews.END,
    }


def _certificate(job: Job, person: Person) -> Mapping[str, Any] | None:
    """The certificate that a setup brings, beside plan and decision."""
    chosen = job.inputs.get("certificate") if job.kind == shown.CONNECT else None
    if not chosen:
        return None
    found = TokenCertificate.objects.select_related("uploaded_by").filter(pk=chosen).first()
    return {"certificate": found} if found else None


def _profile_change(job: Job, person: Person) -> Mapping[str, Any] | None:
    """What the requester of a profile's change chose: the plan shows it only once it is made."""
    if job.kind != shown.CHANGE_PROFILE:
        return None
    profile_id = job.inputs.get("profile_id")
    row = (
        ServerProfile.objects.filter(organization__scope=job.scope, profile_id=profile_id).first()
        if profile_id
        else None
    )
    changes = changes_of(job.inputs.get("values", {}), row.fields if row else {})
    return {"changes": changes, "profile": row, "slug": job.scope.slug}


def _doors(job: Job, person: Person) -> Mapping[str, Any] | None:
    doors = job.inputs.get("doors") if job.kind == look_state.TEST else None
    return {"doors": doors, "slug": job.scope.slug} if doors else None


def _reading(job: Job, person: Person) -> Mapping[str, Any] | None:
    """The way from a look to what it saw."""
    if job.kind != look_state.READ and not (job.kind in _CHANGING and job.is_final):
        return None
    return {"slug": job.scope.slug, "title": job.scope.title}


def _profile_count(scope: Scope) -> int:
    organization = Organization.objects.filter(scope=scope).first()
    return organization.server_profiles.filter(is_gone=False).count() if organization else 0


def _job_count(scope: Scope) -> int:
    return Job.objects.filter(scope=scope).count()
