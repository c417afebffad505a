"""Tables to which rows are only ever added.

Triggers, not habits: they also stop the ORM, the admin and a shell. They are installed after every
migration, because SQLite drops a table's triggers when Django rebuilds it, and a system check
demands them at start.
"""

from __future__ import annotations

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import OperationalError, ProgrammingError

_tables: set[str] = set()
# name -> (moment, table, condition, message)
_guards: dict[str, tuple[str, str, str, str]] = {}


def protect(*tables: str) -> None:
    """Name tables whose rows may not be changed or deleted."""
    _tables.update(tables)


def protected(existing: set[str]) -> set[str]:
    """Give those of the tables whose rows may not be changed or deleted."""
    return _tables & existing


def guard_insert(name: str, table: str, *, refuse_when: str, message: str) -> None:
    """Refuse an INSERT for which ``refuse_when`` (SQL over NEW, the same on both databases) is true."""
    _guards[name] = ("INSERT", table, refuse_when, message)


def guard_update(name: str, table: str, *columns: str, refuse_when: str, message: str) -> None:
    """Refuse an UPDATE of these columns for which ``refuse_when`` (SQL over OLD and NEW) is true."""
    _guards[name] = (f"UPDATE OF {', '.join(columns)}", table, refuse_when, message)


def lift_before_migrate(*, using: str, sender: AppConfig, **rest: object) -> None:
    """On SQLite, take every trigger away until the migrations are through.

    Django rebuilds a table by dropping it, and SQLite then refuses because of triggers of other tables
    that name it. A migration that stops in between leaves them out: no process starts until it is through.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for name in sorted(_expected("sqlite", set(connection.introspection.table_names()))):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def install_after_migrate(*, using: str, sender: AppConfig, **rest: object) -> None:
    """Install what is missing, on the tables that exist."""
    install(connections[using])


def install(connection: BaseDatabaseWrapper) -> None:
    """Install every trigger anew, whatever was there."""
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for statement in _statements(connection, existing):
            cursor.execute(statement)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Give the triggers that ought to be there and are not; empty when the database cannot be asked."""
    source = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    try:
        existing = set(connection.introspection.table_names())
        with connection.cursor() as cursor:
            cursor.execute(source)
            found = {row[0] for row in cursor.fetchall()}
    except (OperationalError, ProgrammingError):
        return []
    return sorted(_expected(connection.vendor, existing) - found)


def _expected(vendor: str, existing: set[str]) -> set[str]:
    kinds = ["no_update", "no_delete", "no_truncate" if vendor == "postgresql" else "no_replace"]
    names = {f"{table}_{kind}" for table in _tables & existing for kind in kinds}
    return names | {name for name, (_, table, _, _) in _guards.items() if table in existing}


def _statements(connection: BaseDatabaseWrapper, existing: set[str]) -> list[str]:
    vendor = connection.vendor
    made = _postgresql_functions() if vendor == "postgresql" else []
    for table in sorted(_tables & existing):
        made += _postgresql(table) if vendor == "postgresql" else _sqlite(connection, table)
    for name, (moment, table, refuse_when, message) in sorted(_guards.items()):
        if table in existing:
            made += _guard(vendor, name, moment, table, refuse_when, message)
    return made


def _sqlite(connection: BaseDatabaseWrapper, table: str) -> list[str]:
    made = _no_replace(connection, table)
    for kind in ("update", "delete"):
        name = f"{table}_no_{kind}"
        made += [
            f"DROP TRIGGER IF EXISTS {name}",
            f"CREATE TRIGGER {name} BEFORE {kind.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END",
        ]
    return made


def _no_replace(connection: BaseDatabaseWrapper, table: str) -> list[str]:
    """Refuse a row whose key is there: SQLite's REPLACE deletes the older one and asks no DELETE trigger."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()
    keys = {tuple(row["columns"]) for row in found if row["unique"] or row["primary_key"]}
    same = " OR ".join(
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in key) + ")"
        for key in sorted(keys)
    )
    name = f"{table}_no_replace"
    # The names are those of our own tables and columns.
    there = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608
    return [
        f"DROP TRIGGER IF EXISTS {name}",
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "
        f"WHEN {there} BEGIN SELECT RAISE(ABORT, '{table} only grows'); END",
    ]


def _postgresql_functions() -> list[str]:
    return [
        "CREATE OR REPLACE FUNCTION portal_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'check_violation'; END $$"
    ]


def _postgresql(table: str) -> list[str]:
    made = []
    for kind, level in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
        name = f"{table}_no_{kind}"
        made += [
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"CREATE TRIGGER {name} BEFORE {kind.upper()} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION portal_only_grows()",
        ]
    return made


def _guard(
    vendor: str, name: str, moment: str, table: str, refuse_when: str, message: str
) -> list[str]:
    if vendor == "postgresql":
        return [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {refuse_when} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; "
            f"END IF; RETURN NEW; END $$",
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"CREATE TRIGGER {name} BEFORE {moment} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return [
        f"DROP TRIGGER IF EXISTS {name}",
        f"CREATE TRIGGER {name} BEFORE {moment} ON {table} WHEN {refuse_when} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
    ]
