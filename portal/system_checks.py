"""What must be right before any process starts: mistakes of configuration, found at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connection

from portal import rights
from portal.audit import append_only
from portal.vault import keys


@register(Tags.security)
def keys_fit_the_role(app_configs: Any, **options: Any) -> list[Error]:
    """A web process must not hold the opening key; a worker must hold the right one."""
    if settings.PORTAL_ROLE not in {"web", "worker", "command"}:
        return [Error("PORTAL_ROLE must be web, worker or command.", id="portal.E001")]
    if settings.PORTAL_ROLE == "web" and settings.OPENING_KEY_FILE:
        return [
            Error(
                "A web process is configured with the opening key.",
                hint="Remove OPENING_KEY_FILE from the environment of the web tier.",
                id="portal.E002",
            )
        ]
    if settings.PORTAL_ROLE == "worker":
        try:
            keys.opening_key()
        except ImproperlyConfigured as error:
            return [Error(str(error), id="portal.E003")]
    return []


@register(Tags.staticfiles)
def static_files_are_collected(app_configs: Any, **options: Any) -> list[Error]:
    """Without them every page, error pages too, would end in an error of its own."""
    if settings.PORTAL_ROLE != "web" or not isinstance(staticfiles_storage, ManifestFilesMixin):
        return []
    if staticfiles_storage.hashed_files:
        return []
    return [
        Error(
            f"There are no collected static files in {settings.STATIC_ROOT}.",
            hint="Run manage.py collectstatic.",
            id="portal.E007",
        )
    ]


@register(Tags.database)
def triggers_are_there(app_configs: Any, **options: Any) -> list[Error]:
    """Append-only tables without their triggers are only a habit.

    Not asked of commands: migrate itself is what installs them.
    """
    if settings.PORTAL_ROLE == "command":
        return []
    missing = append_only.missing(connection)
    if not missing:
        return []
    return [
        Error(
            f"Triggers are missing: {', '.join(missing)}.",
            hint="Run manage.py migrate as the owner of the database.",
            id="portal.E004",
        )
    ]


@register(Tags.database)
def migrations_are_applied(app_configs: Any, **options: Any) -> list[Error]:
    """A release that is newer than its database does not start; an older one does (an upgrade in steps).

    File names against rows: to import every migration would cost each start a tenth of a second.
    """
    if settings.PORTAL_ROLE == "command":
        return []
    applied: set[tuple[str, str]] = set()
    try:
        with connection.cursor() as cursor:
            if "django_migrations" in connection.introspection.table_names(cursor):
                cursor.execute("SELECT app, name FROM django_migrations")
                applied = set(cursor.fetchall())
    except OperationalError:
        return []  # the database is away; health says so
    missing = [
        f"{config.label}.{file.stem}"
        for config in apps.get_app_configs()
        for file in sorted(Path(config.path, "migrations").glob("[0-9]*.py"))
        if (config.label, file.stem) not in applied
    ]
    if not missing:
        return []
    return [
        Error(
            f"The database is older than this release; {len(missing)} migrations are missing, first {missing[0]}.",
            hint="Run manage.py migrate as the owner of the database.",
            id="portal.E005",
        )
    ]


@register(Tags.database)
def history_cannot_be_rewritten(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """On PostgreSQL the portal's role only adds to append-only tables; an owner could drop the triggers."""
    if settings.PORTAL_ROLE == "command" or connection.vendor != "postgresql":
        return []
    try:
        too_much = rights.beyond_least(connection)
    except DatabaseError:
        return []
    if not too_much:
        return []
    return [
        Warning(
            f"The portal's database role may change what only grows: {', '.join(too_much)}.",
            hint="Let migrations run as the owner and the portal as a role of its own: manage.py grant_rights.",
            id="portal.W006",
        )
    ]
