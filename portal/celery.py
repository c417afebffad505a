from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["portal.jobs"])


def add_watch() -> None:
    """Start the watch with every worker of this app."""
    from portal.jobs.bootstep import WatchStep

    app.steps["worker"].add(WatchStep)


add_watch()
