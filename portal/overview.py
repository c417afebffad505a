"""The first page: what needs this person, what runs, and what apps add."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, F, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal import pages
from portal.access.models import Person, Role
from portal.access.roles import roles_of
from portal.http import SignedInRequest
from portal.jobs import shown
from portal.jobs.models import Job, JobQuerySet
from portal.jobs.progress import Progress
from portal.jobs.states import AT_CHECKS, AT_WORK, JobState, look_of

# How long an ended job stays under "Needs you", unless a newer one of its kind takes its place.
_STAYS = timedelta(days=14)
_RUNNING_SHOWN = 10
_STOPPED = (JobState.OUTCOME_UNKNOWN, JobState.NEEDS_PERSON)
_ENDED_BADLY = (JobState.FAILED, JobState.PLAN_STALE, JobState.PARTLY_SUCCEEDED)
_BUTTONS = {
    JobState.FAILED: "See the fix",
    JobState.PLAN_STALE: "See what changed",
    JobState.OUTCOME_UNKNOWN: "Check",
    JobState.CHANGES_REQUESTED: "Edit request",
    JobState.DRAFT: "Go on",
}


@require_GET
def overview(request: SignedInRequest) -> HttpResponse:
    """What needs this person first."""
    person = request.user
    waiting = shown.waiting_rows(shown.waiting_for(person))
    needs = [*_job_needs(person), *pages.needs_of(person)]
    context = {
        "waiting": waiting,
        "needs": needs,
        "running": running_rows(person),
        "others": _waiting_for_others(person),
        "panels": pages.overview_panels(person),
        "beginnings": pages.beginnings_of(person),
        "has_role": bool(roles_of(person)),
    }
    return render(request, "overview.html", context)


@require_GET
def running(request: SignedInRequest) -> HttpResponse:
    """The part of the overview that looks again by itself."""
    response = render(
        request, "_running.html", {"running": running_rows(request.user), "oob": True}
    )
    response["Cache-Control"] = "no-store"
    return response


def running_rows(person: Person) -> list[tuple[Job, str, Progress]]:
    """Read the jobs at work: job, headline, progress."""
    jobs = Job.objects.for_person(person).filter(state__in=AT_WORK + AT_CHECKS)
    # What was started first stands first; what waits for its time stands last.
    ordered = jobs.select_related("scope", "plan").order_by(
        F("started_at").asc(nulls_last=True), "run_after"
    )
    found = ordered[:_RUNNING_SHOWN]
    return [
        (job, shown.headline(job), shown.progress_shown(job, shown.steps_of(job))) for job in found
    ]


def _waiting_for_others(person: Person) -> list[tuple[Job, str, list[Person]]]:
    """Read this person's requests that somebody else has to decide about."""
    jobs = Job.objects.for_person(person).filter(requester=person, state=JobState.AWAITING_APPROVAL)
    found = jobs.select_related("scope", "plan").order_by("sent_at")
    return [(job, shown.headline(job), shown.deciders(job)) for job in found]


def _job_needs(person: Person) -> Iterator[pages.Need]:
    """Give the jobs that need this person: what stopped first, then what failed, then what is written."""
    seen = Job.objects.for_person(person).select_related("scope")
    stopped = Job.objects.for_person(person, Role.REQUESTER, Role.APPROVER).select_related("scope")
    yield from _rows(stopped.filter(state__in=_STOPPED))
    yield from _rows(_unanswered(seen.filter(requester=person)))
    for state in (JobState.CHANGES_REQUESTED, JobState.DRAFT):
        yield from _rows(seen.filter(requester=person, state=state))


def _unanswered(jobs: JobQuerySet) -> JobQuerySet:
    """Keep what ended badly of late and has no younger job of its kind and scope."""
    younger = Job.objects.filter(
        kind=OuterRef("kind"), scope=OuterRef("scope"), number__gt=OuterRef("number")
    )
    return jobs.filter(
        ~Exists(younger), state__in=_ENDED_BADLY, ended_at__gt=timezone.now() - _STAYS
    )


def _rows(jobs: JobQuerySet) -> Iterator[pages.Need]:
    for job in jobs.order_by("-number")[:20]:
        state = JobState(job.state)
        look = look_of(state)
        said = str((job.failure or {}).get("message", "")) or job.note.partition("\n")[0]
        yield pages.Need(
            colour=look.colour,
            icon=look.icon,
            title=f"{job.name} {look.word.lower()}" + (f": {said}" if said else ""),
            url=reverse("jobs:job", args=[job.number]),
            meta=f"{shown.headline(job)}",
            button=_BUTTONS.get(state, "Open"),
        )
