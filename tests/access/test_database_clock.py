"""Leases and approvals go by the database's clock, whatever the clocks of web and worker say.

On PostgreSQL its clock can be moved for one database alone: functions of the same name, found first.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from portal.access.models import Person
from portal.errors import Outpaced
from portal.jobs import actions
from portal.jobs.claim import database_clock, take
from portal.jobs.models import Job
from portal.jobs.states import JobState
from portal.vault.actions import destroy_due_secrets, seal_secret
from portal.vault.models import Secret
from tests.access.planning import Desk, approve, fresh
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.stack import Stack

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has the clock of this machine"
)
CLOCKS = ("statement_timestamp", "clock_timestamp", "now", "transaction_timestamp")


def _move_clock(by: timedelta) -> None:
    """Have this database, for every process, live so much later (or earlier)."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS moved")
        for name in CLOCKS:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION moved.{name}() RETURNS timestamptz LANGUAGE sql "
                f"AS $$ SELECT pg_catalog.{name}() + interval '{by.total_seconds()} seconds' $$"
            )
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]
        cursor.execute(f'ALTER DATABASE "{name}" SET search_path = moved, pg_catalog, public')
    connection.close()


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_clock_moves(database_url: str, hours: int) -> None:
    """Without this the tests below would prove nothing."""
    _move_clock(timedelta(hours=hours))

    difference = database_clock() - timezone.now()

    assert abs(difference - timedelta(hours=hours)) < timedelta(seconds=5)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_whole_job_runs_an_hour_beside_everybodys_clock(
    stack: Stack, tmp_path: object, desk: Desk, jonas: Person, hours: int
) -> None:
    """Before, the job is due 'in an hour' or 'since an hour' for whoever asks the wrong clock."""
    _move_clock(timedelta(hours=hours))
    world = ToyWorld(desk.folder)
    stack.worker()

    job = planned_job(world, desk.scope, desk.requester)
    send_and_approve(job, desk.requester, jonas)
    wait_for(job, JobState.SUCCEEDED)

    assert world.effects == ALL_EFFECTS


def test_a_lease_ends_when_the_database_says_so(desk: Desk, jonas: Person) -> None:
    job, claim = desk.claimed(jonas)
    claim.write(note="held")

    _move_clock(timedelta(minutes=10))

    with pytest.raises(Outpaced):
        claim.write(note="too late")
    assert take(job.number) is not None


def test_an_approval_ends_when_the_database_says_so(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)

    _move_clock(timedelta(hours=24, minutes=1))

    assert take(job.number) is None
    assert fresh(job).state == JobState.PLAN_STALE


def test_an_approval_lives_from_the_databases_now(desk: Desk, jonas: Person) -> None:
    _move_clock(timedelta(hours=-30))

    approval = approve(desk.sent(), jonas)

    assert approval.start_by is not None
    assert approval.start_by < timezone.now()  # long past by our own clock
    assert take(approval.plan.job_id) is not None


def test_a_window_is_ahead_of_the_databases_now(desk: Desk, jonas: Person) -> None:
    begins = timezone.now() + timedelta(hours=1)
    job = desk.planned()
    actions.send_for_approval(
        job, by=desk.requester, reason="x", window=(begins, begins + timedelta(hours=1))
    )
    approve(job, jonas)
    assert take(job.number) is None

    _move_clock(timedelta(minutes=90))
    assert take(job.number) is not None


def test_what_is_due_is_due_by_the_database(desk: Desk, jonas: Person) -> None:
    job = desk.approved(jonas)
    assert list(Job.objects.due()) == [job]

    _move_clock(timedelta(hours=-1))

    assert list(Job.objects.due()) == []


def test_secrets_are_destroyed_by_the_databases_clock(database_url: str) -> None:
    secret = seal_secret(b"x", kind=Secret.Kind.JOB, label="x", by=None)
    assert destroy_due_secrets() == 0

    _move_clock(timedelta(days=9))

    assert destroy_due_secrets() == 1
    secret.refresh_from_db()
    assert secret.ciphertext is None
