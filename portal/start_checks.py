"""Refuse to start where the configuration is wrong.

Neither gunicorn nor Celery minds what Django's system checks find: gunicorn does not run them, and
Celery's Django support runs them and drops the answer. A web process that holds the opening key, or a
worker with a wrong one, must end before it serves anybody, not at the first secret.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

log = logging.getLogger(__name__)


def demand_sound_configuration(role: str) -> None:
    """Run the portal's checks of keys and database; return only when none finds an error.

    A database that is away is no mistake of configuration: the process starts, and its health says so.

    :param role: what this process is, ``web`` or ``worker``.
    :raises ImproperlyConfigured: naming every mistake with its fix.
    """
    if role != settings.PORTAL_ROLE:
        raise ImproperlyConfigured(
            f"This process is a {role}, but PORTAL_ROLE is {settings.PORTAL_ROLE!r}. Set PORTAL_ROLE={role}."
        )
    try:
        found = checks.run_checks(
            tags=[checks.Tags.security, checks.Tags.staticfiles, checks.Tags.database],
            databases=["default"],
        )
    finally:
        # Nothing opened here may be inherited by a forked child.
        connections.close_all()
    for message in found:
        if not message.is_serious():
            log.warning("%s", message)
    serious = [message for message in found if message.is_serious() and not message.is_silenced()]
    if serious:
        raise ImproperlyConfigured("\n".join(str(message) for message in serious))
