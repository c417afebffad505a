"""Jobs of the toy kind on their way to an approval, without any worker process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from portal.access.models import Person, Scope
from portal.jobs import actions, ends, plans, preparation
from portal.jobs.claim import Claim, take
from portal.jobs.models import Approval, Job, Plan
from portal.jobs.states import JobState
from portal.vault.models import Secret


@dataclass
class Desk:
    """Where jobs are prepared: their scope, their requester and the toy's folder."""

    scope: Scope
    requester: Person
    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "world.json").write_text(json.dumps({"colour": "red"}))

    def planned(self, secrets: Sequence[Secret] = ()) -> Job:
        """A draft with a plan, ready to send."""
        inputs: dict[str, Any] = {"folder": str(self.folder)}
        if secrets:
            inputs["secrets"] = [str(secret.pk) for secret in secrets]
        job = actions.draft_job("toy", self.scope, by=self.requester, inputs=inputs)
        return self.planned_again(job)

    def planned_again(self, job: Job) -> Job:
        actions.ask_for_checks(job, by=self.requester)
        claim = take(job.number)
        assert claim is not None
        end = preparation.prepare(claim, fresh(job), plans.kind_of("toy"), poisoned=False)
        ends.give_back(claim, end)
        return fresh(job)

    def sent(self) -> Job:
        """A job that waits for a decision."""
        return actions.send_for_approval(self.planned(), by=self.requester, reason="because")

    def approved(self, by: Person) -> Job:
        job = self.sent()
        approve(job, by)
        return fresh(job)

    def claimed(self, by: Person) -> tuple[Job, Claim]:
        """A job at work, and the claim on it."""
        job = self.approved(by)
        claim = take(job.number)
        assert claim is not None
        return fresh(job), claim


def approve(job: Job, by: Person) -> Approval:
    return actions.approve_job(job, by=by, digest=plan_of(job).digest)


def plan_of(job: Job) -> Plan:
    plan = fresh(job).plan
    assert plan is not None
    return plan


def fresh(job: Job) -> Job:
    """The row as it is in the database now."""
    return Job.objects.select_related("plan", "scope", "requester").get(pk=job.pk)


def slip(job: Job, *, state: str, **fields: Any) -> None:
    """Write what a sent job keeps, as somebody with the database in hand would: by way of a draft."""
    row = Job.objects.filter(pk=job.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.update(**fields)
    row.update(state=JobState.DRAFT)
    row.update(**fields)
    row.update(state=state, run_after=timezone.now())
