from __future__ import annotations

import os
from typing import Any

import django
from celery import Celery
from celery.signals import celeryd_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal.jobs.bootstep import WatchStep
from portal.start_checks import demand_sound_configuration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


class Portal(Celery):
    """Celery, whose connections for ringing give up soon, and whose connections for listening are patient."""

    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        """Give a connection for ringing. Somebody's click waits for it, and the watch does without."""
        impatient = settings.RING_TRANSPORT_OPTIONS | (options.pop("transport_options", None) or {})
        return super().connection_for_write(url, transport_options=impatient, **options)


app = Portal("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["portal.jobs"])


@celeryd_init.connect
def _refuse_unsound(**rest: Any) -> None:
    """End before anything is taken from the queue. Celery swallows what a signal raises, but not SystemExit."""
    try:
        django.setup(set_prefix=False)
        demand_sound_configuration("worker")
    except ImproperlyConfigured as error:
        raise SystemExit(f"The worker does not start.\n{error}") from error


# Every worker of this app starts its watch.
app.steps["worker"].add(WatchStep)
