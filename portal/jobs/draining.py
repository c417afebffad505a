"""Stop the engine for an upgrade and let it go on: steps end, nothing new is claimed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from portal.audit.record import record
from portal.errors import Outpaced
from portal.jobs.models import Duty, Installation, Job
from portal.jobs.states import CLAIMABLE

RECENT_WORKERS = 200  # of the newest jobs; who carried older ones says nothing of now


@transaction.atomic
def drain() -> bool:
    """Have workers end the step they are in, and claim nothing more.

    Nobody signs in for this: it belongs to the host's upgrade, and history says that a command did it.

    :return: False when the engine was draining already.
    """
    return _set(draining=True, event="engine.drained")


@transaction.atomic
def resume() -> bool:
    """Let workers claim again; what has become due meanwhile starts at once.

    :return: False when the engine was not draining.
    """
    return _set(draining=False, event="engine.resumed")


def _set(*, draining: bool, event: str) -> bool:
    # Claims update the same row first, so after this commit none can still be on its way.
    hit = Installation.objects.filter(is_draining=not draining).update(is_draining=draining)
    place = Installation.objects.first()
    if place is None:
        raise Outpaced("This database was not set up yet.", remedy="Run manage.py migrate first.")
    if hit:
        record(event, place, by=None)
    return bool(hit)


@dataclass(frozen=True)
class Lease:
    """A job that a worker holds now."""

    job: str
    worker: str
    ends_at: datetime


@dataclass(frozen=True)
class Engine:
    """How the engine stands.

    :param leases: jobs held now, the first to end first. :param due: jobs a worker may take now.
    :param later: jobs that become due by themselves later.
    :param workers: hosts and processes seen, with the newest job each had.
    :param duties: periodic duties; a watch does them, so the newest ``last_at`` says when one was seen.
    """

    mode: str
    is_draining: bool
    leases: tuple[Lease, ...]
    due: tuple[str, ...]
    later: int
    workers: dict[str, str]
    duties: tuple[Duty, ...]

    @property
    def watch_seen_at(self) -> datetime | None:
        """Give when a watch last did a duty; None when none ever did."""
        return max((duty.last_at for duty in self.duties if duty.last_at), default=None)


def engine() -> Engine:
    """Read how the engine stands."""
    place = Installation.objects.first()
    due = [job.name for job in Job.objects.due()]
    moving = Job.objects.filter(state__in=CLAIMABLE, lease_ends_at=None, run_after__gt=Now())
    seen: dict[str, str] = {}
    for job in Job.objects.exclude(worker="").order_by("-number")[:RECENT_WORKERS]:
        seen.setdefault(job.worker, job.name)
    return Engine(
        mode=place.mode if place else "",
        is_draining=place is not None and place.is_draining,
        leases=tuple(leases()),
        due=tuple(due),
        later=moving.count(),
        workers=seen,
        duties=tuple(Duty.objects.order_by("name")),
    )


def leases() -> list[Lease]:
    """Read which jobs are held now. A lease that ran out is nobody's."""
    held = Job.objects.filter(lease_ends_at__gt=Now()).order_by("lease_ends_at")
    return [Lease(job.name, job.worker, job.lease_ends_at) for job in held if job.lease_ends_at]
