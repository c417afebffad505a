from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "portal.jobs"
    label = "jobs"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from portal.jobs import events, guards, plans  # noqa: F401
        from portal.jobs.installation import ensure_installation
        from portal.jobs.undo import UndoJob

        plans.register(UndoJob())
        post_migrate.connect(ensure_installation, sender=self)
