"""What an organization needs next, and who does it: one sentence and one button."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from portal.access.models import Person, Role
from portal.access.roles import has_role
from portal.jobs import shown as jobs
from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS, EDITABLE, JobState, look_of
from portal.templatetags.portal_ui import names
from sync_setup.look_state import last_job
from sync_setup.shown import CONNECT, ShownOrganization

# A draft that was discarded ended too, but nobody has to do anything about it.
_ENDED_BADLY = (JobState.FAILED, JobState.PLAN_STALE, JobState.REJECTED)


@dataclass(frozen=True)
class NextStep:
    """The note at the top of an organization's page.

    :param starts: whether its button makes a new setup (a POST); else it opens ``url``.
    """

    colour: str
    icon: str
    title: str
    text: str
    url: str = ""
    button: str = ""
    starts: bool = False


def next_step(row: ShownOrganization, person: Person) -> NextStep | None:
    """Say what is next; None where nothing is: the organization is ready, or was never looked at."""
    if row.job is not None:
        return _going_on(row, row.job, person)
    last = last_job(row.organization.scope, CONNECT)
    is_ready = row.readiness.done == row.readiness.total
    if last is not None and last.state in _ENDED_BADLY and not is_ready:
        return _ended(last)
    if not row.readiness.was_read or row.readiness.look.word == "Ready":
        return None
    open_items = row.readiness.total - row.readiness.done
    if not has_role(person, Role.REQUESTER, row.organization.scope):
        return None
    return NextStep(
        "blue",
        "info",
        f"Next: connect {row.organization}",
        f"{open_items} item{'' if open_items == 1 else 's'} below are not done. A setup checks everything, "
        "shows each change before it is made, and a second person approves it.",
        button="New setup",
        starts=True,
    )


def _going_on(row: ShownOrganization, job: Job, person: Person) -> NextStep:
    state = JobState(job.state)
    look = look_of(state)
    url = reverse("jobs:job", args=[job.number])
    marked = sum(item.in_job == job.name for item in row.readiness.items)
    items = f"{marked} item{'' if marked == 1 else 's'}"
    text = f"It will finish {items} marked “In {job.name}”." if marked else job.note
    if state in EDITABLE + AT_CHECKS:
        if job.requester_id == person.pk:
            title = f"Next: go on with your draft {job.name}"
            return NextStep(look.colour, look.icon, title, text, url, "Go on")
        title = f"{job.requester} is writing {job.name}"
        return NextStep(look.colour, look.icon, title, text, url, "See the draft")
    if state == JobState.AWAITING_APPROVAL:
        people = jobs.deciders(job)
        title = f"Next: {job.name} awaits approval by {names(people) or 'somebody'}"
        return NextStep(look.colour, look.icon, title, text, url, "See the plan")
    title = f"{job.name}: {look.word.lower()}"
    return NextStep(look.colour, look.icon, title, text or job.note, url, "Watch")


def _ended(job: Job) -> NextStep:
    look = look_of(JobState(job.state))
    said = str((job.failure or {}).get("message", "")) or job.note
    url = reverse("jobs:job", args=[job.number])
    return NextStep(
        look.colour, look.icon, f"{job.name}: {look.word.lower()}", said, url, "See why"
    )
