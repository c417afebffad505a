from __future__ import annotations

import os

from celery import Celery

from portal.jobs.bootstep import WatchStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["portal.jobs"])


# Every worker of this app starts its watch.
app.steps["worker"].add(WatchStep)
