"""Plans, approvals, their use and the history only grow, whoever asks the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction

from portal.access.models import Person
from portal.audit import append_only
from portal.audit.models import Entry
from portal.jobs.models import Approval, ApprovalUse, Plan, PlanStep
from tests.access.planning import Desk

GROWING: list[type[models.Model]] = [Entry, Plan, PlanStep, Approval, ApprovalUse]
ONLY_GROWS = "only grows"


@pytest.fixture
def full(desk: Desk, jonas: Person) -> None:
    """At least one row in each of the tables."""
    desk.claimed(jonas)
    for model in GROWING:
        assert model._default_manager.exists()


def _sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def _columns(model: type[models.Model]) -> list[str]:
    return [f'"{field.column}"' for field in model._meta.concrete_fields]


@pytest.mark.parametrize("model", GROWING)
def test_no_column_of_any_row_can_be_changed(full: None, model: type[models.Model]) -> None:
    table = model._meta.db_table
    for column in _columns(model):
        with pytest.raises(DatabaseError, match=ONLY_GROWS):
            _sql(f"UPDATE {table} SET {column} = {column}")  # noqa: S608


@pytest.mark.parametrize("model", GROWING)
def test_no_row_can_be_deleted(full: None, model: type[models.Model]) -> None:
    with pytest.raises(DatabaseError, match=ONLY_GROWS):
        _sql(f"DELETE FROM {model._meta.db_table}")  # noqa: S608
    with pytest.raises(DatabaseError), transaction.atomic():
        model._default_manager.all()._raw_delete(using="default")


@pytest.mark.parametrize("model", GROWING)
def test_the_orm_has_no_way_round(full: None, model: type[models.Model]) -> None:
    row = model._default_manager.first()
    assert row is not None
    for change in (
        row.save,
        row.delete,
        lambda: model._default_manager.update(id=row.pk),
        lambda: model._default_manager.bulk_update([row], [model._meta.concrete_fields[-1].name]),
    ):
        with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
            change()
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", GROWING)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("how", ["", "CASCADE", "RESTART IDENTITY CASCADE"])
def test_no_table_can_be_emptied(full: None, model: type[models.Model], how: str) -> None:
    with pytest.raises(DatabaseError):
        _sql(f"TRUNCATE {model._meta.db_table} {how}")
    assert model._default_manager.exists()


@pytest.mark.parametrize("model", GROWING)
def test_no_insert_takes_the_place_of_a_row(full: None, model: type[models.Model]) -> None:
    """SQLite's REPLACE deletes without asking a DELETE trigger; ON CONFLICT asks the UPDATE trigger."""
    table, columns = model._meta.db_table, _columns(model)
    names = ", ".join(columns)
    before = _told(model)
    statements = [
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} WHERE true "  # noqa: S608
        f"ON CONFLICT (id) DO UPDATE SET {columns[-1]} = excluded.{columns[-1]}"
    ]
    if connection.vendor == "sqlite":
        statements += [
            f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}",  # noqa: S608
            f"REPLACE INTO {table} ({names}) SELECT {names} FROM {table}",  # noqa: S608
        ]
    for statement in statements:
        with pytest.raises(DatabaseError):
            _sql(statement)
    assert _told(model) == before


def test_no_insert_takes_the_place_of_a_decision(full: None) -> None:
    """By the pair that is unique beside the id: another row for the same plan and person."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite replaces rows by other unique columns")
    columns = [name for name in _columns(Approval) if name != '"id"']
    chosen = ", ".join("'rejected'" if name == '"decision"' else name for name in columns)
    with pytest.raises(DatabaseError):
        _sql(
            f"INSERT OR REPLACE INTO jobs_approval ({', '.join(columns)}) "  # noqa: S608
            f"SELECT {chosen} FROM jobs_approval"
        )
    assert Approval.objects.get().decision == "approved"


def _told(model: type[models.Model]) -> str:
    return json.dumps(list(model._default_manager.order_by("pk").values()), default=str)


def test_a_plans_rows_cannot_be_edited_after_its_approval(full: None) -> None:
    step = PlanStep.objects.order_by("position").first()
    assert step is not None
    step.wanted = {"colour": "black"}

    with pytest.raises(DatabaseError, match=ONLY_GROWS), transaction.atomic():
        step.save()


def test_a_missing_trigger_is_found(database_url: str) -> None:
    assert append_only.missing(connection) == []
    on = " ON audit_entry" if connection.vendor == "postgresql" else ""
    _sql(f"DROP TRIGGER audit_entry_no_update{on}")
    assert append_only.missing(connection) == ["audit_entry_no_update"]

    append_only.install(connection)

    assert append_only.missing(connection) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot switch triggers off")
def test_a_trigger_that_was_switched_off_is_found(database_url: str) -> None:
    _sql("ALTER TABLE jobs_plan DISABLE TRIGGER jobs_plan_no_delete")

    assert append_only.missing(connection) == ["jobs_plan_no_delete"]
