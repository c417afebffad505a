"""What must be right before any process starts: mistakes of configuration, found at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

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


@register(Tags.database)
def triggers_are_there(app_configs: Any, **options: Any) -> list[Error]:
    """Append-only tables without their triggers are only a habit."""
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
