"""What the watch does by itself: in a real worker, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.test import Client

from portal.access.sessions import forget_ended_sessions
from portal.jobs import duties
from portal.jobs.models import Duty
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from tests.stack import Stack
from tests.waiting import wait_until


def _do_all() -> int:
    duties.ensure_rows()
    count = 0
    while duties.do_one_due():
        count += 1
    return count


def test_every_duty_is_done_when_it_is_due_and_not_again_before(database_url: str) -> None:
    assert _do_all() == len(duties._kinds) >= 2
    assert _do_all() == 0

    Duty.objects.update(due_at=Now())
    assert _do_all() == len(duties._kinds)
    assert not Duty.objects.filter(last_result__startswith="failed").exists()


def test_a_worker_destroys_secrets_whose_time_has_come(stack: Stack) -> None:
    due = seal_secret(b"x", kind=Secret.Kind.JOB, label="due", by=None)
    later = seal_secret(b"x", kind=Secret.Kind.JOB, label="later", by=None)
    Secret.objects.filter(pk=due.pk).update(destroy_at=Now() - timedelta(seconds=1))

    stack.worker()

    wait_until(lambda: Secret.objects.get(pk=due.pk).destroyed_at)
    assert Secret.objects.get(pk=due.pk).ciphertext is None
    assert Secret.objects.get(pk=later.pk).destroyed_at is None


def test_ended_sessions_go_and_others_stay(database_url: str) -> None:
    for _ in range(3):
        Client().get("/sign-in/")
    gone, *kept = Session.objects.values_list("pk", flat=True)
    Session.objects.filter(pk=gone).update(expire_date=Now() - timedelta(seconds=1))

    assert forget_ended_sessions() == 1

    assert sorted(Session.objects.values_list("pk", flat=True)) == sorted(kept)


def test_a_duty_that_fails_says_so_and_is_done_again(
    database_url: str, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    tries: list[Any] = []

    def fail() -> None:
        tries.append(1)
        raise ValueError("a secret text of the defect")

    duties.register(duties.DutyKind("failing", 60, fail))
    request.addfinalizer(lambda: duties._kinds.pop("failing"))
    _do_all()
    Duty.objects.filter(name="failing").update(due_at=Now())
    _do_all()

    assert len(tries) == 2
    assert Duty.objects.get(name="failing").last_result == "failed: ValueError"
