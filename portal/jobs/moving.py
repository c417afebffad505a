"""What every deed of a person about a job is made of: one conditional change of its state, and a line of history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.access.models import Person
from portal.audit.record import record
from portal.errors import Outpaced
from portal.jobs.models import Job, Plan
from portal.jobs.states import JobState
from portal.vault.actions import keep_for_plan, missing


def move(
    job: Job,
    from_states: tuple[JobState, ...],
    to: JobState,
    *,
    still: Mapping[str, Any] | None = None,
    **fields: Any,
) -> None:
    """Change the state if it is still one of these; one conditional UPDATE, so races have one winner.

    :param still: columns that must be as they were read: the plan that is sent or decided about.
    """
    rows = Job.objects.filter(pk=job.pk, state__in=from_states, **(still or {}))
    hit = rows.update(state=to, **fields)
    if hit != 1:
        raise Outpaced(
            f"{job.name} has moved on meanwhile.",
            remedy="Reload the page and read what it says now.",
        )
    job.refresh_from_db(fields=["state", *fields])


def say(event: str, job: Job, *, by: Person, **detail: object) -> None:
    """Add the deed to history, inside the transaction of the change."""
    record(event, job, by=by, scope=job.scope, job_number=job.number, **detail)


def keep_secrets(plan: Plan) -> None:
    """Move the end of the plan's secrets on.

    :raises Outpaced: when one is gone: the plan cannot be carried out any more.
    """
    keep_for_plan(plan.secret_ids)
    if gone := missing(plan.secret_ids):
        raise Outpaced(
            f"What this plan needs is gone: {', '.join(gone)}.",
            remedy="Upload it again and run the checks anew.",
            code="SSS-SECRET-GONE",
        )
