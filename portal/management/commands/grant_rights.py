from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import Connection

from portal import rights


class Command(BaseCommand):
    help = (
        "PostgreSQL: give the portal's own role exactly what it needs, and make the role where it is not "
        "there. Run it as the owner of the tables after each migrate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="the role that web and worker connect as")
        parser.add_argument(
            "--password-file", type=Path, help="set the role's password to what this file holds"
        )

    def handle(self, *, role: str, password_file: Path | None, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(
                "SQLite knows no roles; its file belongs to whoever runs the portal."
            )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            if cursor.fetchone()[0] == role:
                raise CommandError(
                    f"This command is connected as {role} itself. Connect as the owner, and name the portal's role."
                )
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            name = connection.ops.quote_name(role)
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
            if password_file is not None:
                cursor.execute(f"ALTER ROLE {name} PASSWORD %s", [_verifier(role, password_file)])
            for statement in rights.statements(connection, role):
                cursor.execute(statement)
        self.stdout.write(f"{role} may read and write what it needs, and only add to the history.")


def _verifier(role: str, password_file: Path) -> str:
    """Turn the password into what PostgreSQL keeps, here: the statement may stand in the server's log."""
    try:
        password = password_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CommandError(f"--password-file cannot be read: {error.strerror}.") from None
    wire = connection.connection
    if not password or not isinstance(wire, Connection):
        raise CommandError("--password-file is empty.")
    return wire.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
