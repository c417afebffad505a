"""A database per test that other processes can see: a copy of a migrated template, never a flush."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tests.environment import FOLDER

_template: str | None = None


@contextmanager
def fresh_database() -> Iterator[str]:
    """Point this process at a fresh copy of the template.

    :return: the URL by which other processes reach the same database.
    """
    global _template
    if _template is None:
        _template = _make_template()
    name = f"{FOLDER}/{uuid.uuid4().hex}.sqlite3" if _embedded() else f"t{uuid.uuid4().hex}"
    _copy(_template, name)
    _point_at(name)
    try:
        yield _url(name)
    finally:
        connections.close_all()
        if _embedded():
            for suffix in ("", "-wal", "-shm"):
                Path(name + suffix).unlink(missing_ok=True)
        else:
            _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _embedded() -> bool:
    return bool(settings.EMBEDDED)


def _make_template() -> str:
    name = f"{FOLDER}/template.sqlite3" if _embedded() else f"template{uuid.uuid4().hex}"
    if not _embedded():
        _administer(f'CREATE DATABASE "{name}"')
    _point_at(name)
    call_command("migrate", verbosity=0)
    if _embedded():
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections.close_all()
    return name


def _copy(template: str, name: str) -> None:
    if _embedded():
        shutil.copyfile(template, name)
    else:
        _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _administer(statement: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement)


def _point_at(name: str) -> None:
    connections.close_all()
    connections["default"].settings_dict["NAME"] = name


def _url(name: str) -> str:
    if _embedded():
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
