"""Which secrets jobs that have not ended still need."""

from __future__ import annotations

from collections.abc import Iterable

from portal.jobs import plans
from portal.jobs.models import Job


def needed_by_unfinished_jobs(secret_ids: frozenset[str], *, other_than: int = 0) -> set[str]:
    """Give those of the secrets that a plan of an unfinished job names, or a draft that has no plan yet.

    :param other_than: number of the job that asks; 0 for none (numbers begin at 1).
    """
    unfinished = Job.objects.unfinished().exclude(number=other_than)
    planned = unfinished.exclude(plan=None).values_list("plan__secret_ids", flat=True)
    found = _among(secret_ids, planned)
    if found == secret_ids:
        return found
    drafts = unfinished.filter(plan=None).select_related("scope")
    return found | _among(secret_ids - found, (_chosen(job) for job in drafts))


def _among(secret_ids: frozenset[str], named: Iterable[list[str]]) -> set[str]:
    return {name for names in named for name in names if name in secret_ids}


def _chosen(draft: Job) -> list[str]:
    try:
        return plans.kind_of(draft.kind).secret_ids(draft)
    except plans.UnknownKind:
        return []
