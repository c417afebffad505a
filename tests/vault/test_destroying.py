"""A destroyed secret holds nothing and says so; a job secret has an end from its first moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.errors import NotFound
from portal.vault.actions import (
    WAITING_LIFE,
    destroy_after_job,
    destroy_due_secrets,
    destroy_secrets,
    keep_for_plan,
    open_secret,
)
from portal.vault.models import Secret
from tests.vault.conftest import again, sealed

pytestmark = pytest.mark.usefixtures("database_url", "worker")

SOON = timedelta(minutes=2)


def falls_due_in(secret: Secret, life: timedelta) -> None:
    due = again(secret).destroy_at
    assert due is not None
    assert abs(due - timezone.now() - life) < SOON


def put_due(secret: Secret, by: timedelta = timedelta(seconds=1)) -> None:
    Secret.objects.filter(pk=secret.pk).update(destroy_at=timezone.now() - by)


def is_gone(secret: Secret) -> bool:
    now = again(secret)
    if now.destroyed_at is None:
        return False
    assert (now.ciphertext, now.sealed_data_key) == (None, None)
    return True


def test_a_destroyed_secret_holds_nothing_and_says_so(mira: Person, scope: Scope) -> None:
    secret = sealed(b"to go", scope=scope)

    assert destroy_secrets([secret], by=mira) == 1

    assert is_gone(secret)
    with pytest.raises(NotFound, match="The PFX file is gone") as caught:
        open_secret(again(secret))
    assert caught.value.code == "SSS-SECRET-GONE"
    line = Entry.objects.get(event="secret.destroyed")
    assert (line.actor, line.scope, line.detail) == (mira, scope, {"label": "PFX file"})


def test_destroying_again_changes_and_records_nothing() -> None:
    secret = sealed()
    destroy_secrets([secret], by=None)
    before = again(secret).destroyed_at

    assert destroy_secrets([secret, again(secret)], by=None) == 0

    assert again(secret).destroyed_at == before
    assert Entry.objects.filter(event="secret.destroyed").count() == 1


@pytest.mark.parametrize(
    "part", [{"ciphertext": b"kept"}, {"sealed_data_key": b"kept"}, {"ciphertext": b""}]
)
def test_the_database_refuses_a_destroyed_secret_that_holds_something(part: Any) -> None:
    secret = sealed()
    destroy_secrets([secret], by=None)

    with pytest.raises(IntegrityError), transaction.atomic():
        Secret.objects.filter(pk=secret.pk).update(**part)
    assert is_gone(secret)


def test_the_database_refuses_to_call_a_secret_destroyed_that_is_there() -> None:
    secret = sealed()

    with pytest.raises(IntegrityError), transaction.atomic():
        Secret.objects.filter(pk=secret.pk).update(destroyed_at=timezone.now())
    assert open_secret(again(secret)).reveal() == b"the value"


def test_a_job_secret_has_an_end_from_the_start_and_a_connection_secret_has_none() -> None:
    upload, connection = sealed(), sealed(kind=Secret.Kind.CONNECTION, label="client secret")

    falls_due_in(upload, WAITING_LIFE)
    assert again(connection).destroy_at is None


def test_an_upload_waits_longer_than_the_farthest_change_window() -> None:
    assert timedelta(days=7) < WAITING_LIFE


def test_after_the_job_a_job_secret_has_its_short_life_left() -> None:
    upload, connection = sealed(), sealed(kind=Secret.Kind.CONNECTION)

    destroy_after_job([str(upload.pk), str(connection.pk)])

    falls_due_in(upload, timedelta(seconds=settings.JOB_SECRET_LIFE_S))
    assert again(connection).destroy_at is None


def test_a_new_plan_keeps_the_secrets_that_it_names() -> None:
    upload, other = sealed(), sealed(label="PFX password")
    destroy_after_job([str(upload.pk), str(other.pk)])

    keep_for_plan([str(upload.pk)])

    falls_due_in(upload, WAITING_LIFE)
    falls_due_in(other, timedelta(seconds=settings.JOB_SECRET_LIFE_S))


def test_nothing_gives_a_destroyed_secret_another_end() -> None:
    upload = sealed()
    put_due(upload, by=timedelta(days=1))
    destroy_secrets([upload], by=None)
    before = again(upload).destroy_at

    keep_for_plan([str(upload.pk)])
    destroy_after_job([str(upload.pk)])

    assert again(upload).destroy_at == before


def test_the_duty_destroys_what_is_due_and_nothing_else(scope: Scope) -> None:
    due, waiting = sealed(scope=scope), sealed()
    connection = sealed(kind=Secret.Kind.CONNECTION)
    put_due(due)

    assert destroy_due_secrets() == 1
    assert destroy_due_secrets() == 0

    assert is_gone(due)
    assert not is_gone(waiting)
    assert not is_gone(connection)
    line = Entry.objects.get(event="secret.destroyed")
    assert (line.actor, line.scope) == (None, scope)


def test_a_connection_secret_is_destroyed_when_a_person_says_so(mira: Person) -> None:
    connection = sealed(kind=Secret.Kind.CONNECTION)

    destroy_secrets([connection], by=mira)

    assert is_gone(connection)


def test_what_is_rolled_back_leaves_neither_secret_nor_history() -> None:
    with transaction.atomic():
        sealed(b"never kept")
        transaction.set_rollback(True)

    assert not Secret.objects.exists()
    assert not Entry.objects.exists()


def test_a_destruction_that_is_rolled_back_leaves_the_secret_whole() -> None:
    secret = sealed()
    with transaction.atomic():
        destroy_secrets([secret], by=None)
        transaction.set_rollback(True)

    assert not is_gone(secret)
    assert open_secret(again(secret)).reveal() == b"the value"
