"""A plan whose secret is gone is neither sent nor approved nor started."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from portal.access.models import Person
from portal.errors import Outpaced
from portal.jobs import actions, runner
from portal.jobs.models import Job, ResourceLock
from portal.jobs.states import JobState
from portal.vault.actions import destroy_secrets, seal_secret
from portal.vault.models import Secret
from tests.access.planning import Desk, approve, fresh


@pytest.fixture
def secret(mira: Person) -> Secret:
    return seal_secret(b"x", kind=Secret.Kind.JOB, label="PFX file", by=mira)


def test_it_is_not_sent(desk: Desk, mira: Person, secret: Secret) -> None:
    job = desk.planned([secret])
    destroy_secrets([secret], by=None)

    with pytest.raises(Outpaced, match="PFX file"):
        actions.send_for_approval(job, by=mira, reason="because")


def test_it_is_not_approved(desk: Desk, mira: Person, jonas: Person, secret: Secret) -> None:
    job = actions.send_for_approval(desk.planned([secret]), by=mira, reason="because")
    destroy_secrets([secret], by=None)

    with pytest.raises(Outpaced, match="PFX file"):
        approve(job, jonas)


def test_it_is_not_started(desk: Desk, mira: Person, jonas: Person, secret: Secret) -> None:
    job = actions.send_for_approval(desk.planned([secret]), by=mira, reason="because")
    approve(job, jonas)
    destroy_secrets([secret], by=None)

    runner.run(job.number)

    job = fresh(job)
    assert job.state == JobState.PLAN_STALE
    assert job.failure is not None
    assert "PFX file" in job.failure["message"]
    assert not ResourceLock.objects.exists()


def test_sending_and_approving_move_its_end_on(
    desk: Desk, mira: Person, jonas: Person, secret: Secret
) -> None:
    job = desk.planned([secret])
    ends = _shortened(secret)
    actions.send_for_approval(job, by=mira, reason="because")
    assert _end(secret) > ends

    ends = _shortened(secret)
    approve(job, jonas)
    assert _end(secret) > ends


def test_a_rejected_plan_lets_it_go(
    desk: Desk, mira: Person, jonas: Person, secret: Secret
) -> None:
    job = actions.send_for_approval(desk.planned([secret]), by=mira, reason="because")
    before = _end(secret)
    plan = Job.objects.select_related("plan").get(pk=job.pk).plan
    assert plan is not None

    actions.reject_job(job, by=jonas, digest=plan.digest, comment="no")

    assert _end(secret) < before


def _end(secret: Secret) -> Any:
    return Secret.objects.values_list("destroy_at", flat=True).get(pk=secret.pk)


def _shortened(secret: Secret) -> Any:
    row = Secret.objects.filter(pk=secret.pk)
    row.update(destroy_at=F("destroy_at") - timedelta(days=2))
    return _end(secret)
