"""The portal works as a role of its own that can add to the history and not rewrite it. PostgreSQL only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from portal.jobs.models import Installation
from portal.jobs.states import JobState
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.production.web_process import address_of, start_web
from tests.stack import Stack


@dataclass(frozen=True)
class PortalRole:
    name: str
    url: str


@pytest.fixture
def role(database_url: str, tmp_path: Path) -> Iterator[PortalRole]:
    """The portal's role on this test's database, as the owner gave it."""
    name = f"sss portal {uuid.uuid4().hex[:8]}"  # a name that must be quoted
    password = tmp_path / "password"
    password.write_text("a-canary-of-a-password\n")
    call_command("grant_rights", name, "--password-file", str(password), verbosity=0)
    parts = urlsplit(database_url)
    yield PortalRole(
        name, urlunsplit(parts._replace(netloc=f"{quote(name)}@{parts.hostname or ''}"))
    )
    with connection.cursor() as cursor:
        quoted = connection.ops.quote_name(name)
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name]
        )
        cursor.execute(f"DROP OWNED BY {quoted}")
        cursor.execute(f"DROP ROLE {quoted}")


def test_job_runs_to_its_end_in_the_portals_role(
    role: PortalRole, stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    stack.environment["DATABASE_URL"] = role.url
    world = ToyWorld(tmp_path)
    worker = stack.worker()
    job = planned_job(world, scope, mira)
    send_and_approve(job, mira, jonas)
    wait_for(job, JobState.SUCCEEDED)
    assert world.effects == ALL_EFFECTS
    assert Entry.objects.filter(event="job.succeeded").count() == 1
    address = address_of(start_web(stack))
    stack.command("health", "web", "--address", address)
    assert "W006" not in worker.log


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET event = 'person.signed_in'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DROP TABLE audit_entry CASCADE",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_entry_no_update ON audit_entry",
        "CREATE OR REPLACE FUNCTION portal_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NEW; END $$",
        "UPDATE jobs_plan SET digest = ''",
        "UPDATE jobs_planstep SET wanted = '{}'",
        "UPDATE jobs_approval SET decision = 'approved'",
        "DELETE FROM jobs_approvaluse",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('jobs', '9999', now())",
        "CREATE TABLE mine (id int)",
        "SET session_replication_role = replica",
        "CREATE ROLE another",
    ],
)
def test_role_cannot_change_the_past(role: PortalRole, statement: str) -> None:
    with psycopg.connect(role.url) as wire, pytest.raises(psycopg.errors.InsufficientPrivilege):
        wire.execute(statement)


def test_rights_given_by_hand_are_taken_back(role: PortalRole) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'GRANT ALL ON audit_entry TO "{role.name}"')
    call_command("grant_rights", role.name, verbosity=0)
    with psycopg.connect(role.url) as wire, pytest.raises(psycopg.errors.InsufficientPrivilege):
        wire.execute("DELETE FROM audit_entry")


def test_password_is_kept_as_a_verifier_and_read_from_a_file(
    role: PortalRole, tmp_path: Path
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role.name])
        kept = cursor.fetchone()[0]
    assert kept.startswith("SCRAM-SHA-256$")
    assert "canary" not in kept
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("grant_rights", role.name, "--password-file", str(tmp_path / "none"))


def test_owner_cannot_be_the_portals_role(database_url: str) -> None:
    with pytest.raises(CommandError, match="Connect as the owner"):
        call_command("grant_rights", "postgres")


def test_portal_as_the_owner_is_warned(stack: Stack) -> None:
    """The tests' own role owns everything; the process starts all the same and says so."""
    assert Installation.objects.exists()
    assert "portal.W006" in stack.worker().log


def test_owner_need_not_be_a_superuser(stack: Stack, database_url: str) -> None:
    """As on a VM: an owner that may make roles, on an empty database of its own."""
    mark = uuid.uuid4().hex[:8]
    owner, database, portal = f"owner_{mark}", f"portal_{mark}", f"role_{mark}"
    with psycopg.connect(database_url, autocommit=True) as wire:
        wire.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE".encode())
        wire.execute(f"CREATE DATABASE {database} OWNER {owner}".encode())
        try:
            url = urlsplit(database_url)._replace(path=f"/{database}")
            as_owner = urlunsplit(url._replace(netloc=f"{owner}@"))
            stack.command("migrate", DATABASE_URL=as_owner)
            stack.command("grant_rights", portal, DATABASE_URL=as_owner)
            stack.environment["DATABASE_URL"] = urlunsplit(url._replace(netloc=f"{portal}@"))
            web = start_web(stack)
            stack.command("health", "web", "--address", address_of(web))
            assert "W006" not in web.log
            web.stop()
        finally:
            wire.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())
            wire.execute(f"DROP ROLE IF EXISTS {portal}".encode())
            wire.execute(f"DROP ROLE {owner}".encode())
