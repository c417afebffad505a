"""How the looking at an organization stands: running, failed, overtaken by a job; and the newest connection test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portal.access.models import Scope
from portal.jobs.models import Job
from portal.jobs.states import CLAIMABLE
from portal.problem import Problem, problem_of_failure
from sync_setup.models import Organization, Reading

READ, TEST = "read-organization", "test-connection"


@dataclass(frozen=True)
class LookState:
    """Whether somebody is looking at an organization, and how the last look ended.

    :param running: the job that looks now.
    :param problem: why the newest look brought nothing.
    :param changed_by: a job that changed the organization after it was read.
    """

    reading: Reading | None
    running: Job | None = None
    problem: Problem | None = None
    changed_by: Job | None = None


def of(organization: Organization) -> LookState:
    """Read how the looking stands; needs ``scope`` loaded."""
    reading = Reading.objects.filter(organization=organization).first()
    job = last_job(organization.scope, READ)
    if job is not None and job.state in CLAIMABLE:
        return LookState(reading, running=job)
    if job is not None and job.failure and _is_newer(job, reading):
        place = f"{job.name}, {organization.unique_name}"
        problem = problem_of_failure(job.failure, place=place, at=job.ended_at)
        return LookState(reading, problem=problem)
    return LookState(reading, changed_by=_changed_since(organization, reading))


def _is_newer(job: Job, reading: Reading | None) -> bool:
    return reading is None or reading.job_number is None or job.number > reading.job_number


def _changed_since(organization: Organization, reading: Reading | None) -> Job | None:
    if reading is None:
        return None
    ended = Job.objects.filter(scope=organization.scope_id, plan__isnull=False)
    return (
        ended.filter(ended_at__gt=reading.read_at, started_at__isnull=False)
        .order_by("ended_at")
        .last()
    )


@dataclass(frozen=True)
class ConnectionTest:
    """The newest try of every door of an organization.

    :param doors: name, works, text, fix and seconds of each; empty while it runs or when it failed.
    """

    job: Job
    doors: tuple[dict[str, Any], ...] = field(default=())

    @property
    def works(self) -> bool:
        return bool(self.doors) and all(door["works"] for door in self.doors)

    @property
    def is_running(self) -> bool:
        return self.job.state in CLAIMABLE


def connection_test(organization: Organization) -> ConnectionTest | None:
    """Read the newest connection test; None when nobody has tried yet."""
    job = last_job(organization.scope, TEST)
    return ConnectionTest(job, tuple(job.inputs.get("doors", ()))) if job else None


def last_job(scope: Scope, kind: str) -> Job | None:
    """Read the newest job of a kind in a scope."""
    return Job.objects.filter(scope=scope, kind=kind).order_by("-number").first()
