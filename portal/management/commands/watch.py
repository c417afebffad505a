from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from portal.jobs.watch import watch


class Command(BaseCommand):
    help = "Watch for due jobs. A Celery worker of the portal starts this by itself."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        watch()
