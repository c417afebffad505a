"""What the portal's own database role may do on PostgreSQL: everything it needs, and nothing to the past.

Migrations run as the owner of the tables. The portal runs as another role, which may add to append-only
tables and read them, and may neither change them nor drop the triggers that refuse it.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from portal.audit import append_only

# Which migrations are applied is the owner's to write.
_READ_ONLY = {"django_migrations"}
_BEYOND = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")


def statements(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """Give the SQL after which ``role`` has exactly the rights of the portal, whatever it had before."""
    name = connection.ops.quote_name
    existing = set(connection.introspection.table_names())
    grows = append_only.protected(existing)
    to, database = name(role), name(str(connection.settings_dict["NAME"]))
    made = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE ALL ON SCHEMA public FROM {to}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {to}",
        f"GRANT CONNECT ON DATABASE {database} TO {to}",
        f"GRANT USAGE ON SCHEMA public TO {to}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {to}",
    ]
    for table in sorted(existing):
        if table in _READ_ONLY:
            may = "SELECT"
        elif table in grows:
            may = "SELECT, INSERT"
        else:
            may = "SELECT, INSERT, UPDATE, DELETE"
        made.append(f"GRANT {may} ON TABLE {name(table)} TO {to}")
    return made


def beyond_least(connection: BaseDatabaseWrapper) -> list[str]:
    """Give the append-only tables that the connected role may do more to than read and add.

    :raises DatabaseError: when the database does not answer.
    """
    with connection.cursor() as cursor:
        tables = sorted(append_only.protected(set(connection.introspection.table_names(cursor))))
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE has_table_privilege(name, %s)",
            [tables, ", ".join(_BEYOND)],
        )
        return [row[0] for row in cursor.fetchall()]
