"""The one row that says whose database this is, made with the first migration."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings

from portal.jobs.models import Installation


def ensure_installation(*, sender: AppConfig, using: str, **rest: object) -> None:
    """Make the row with PORTAL_MODE; afterwards the database says what it is, not the environment."""
    Installation.objects.using(using).get_or_create(pk=1, defaults={"mode": settings.PORTAL_MODE})
