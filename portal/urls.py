"""Every address of the portal. Apps bring their own; ``<job:number>`` reads J-1042 in all of them."""

from __future__ import annotations

from django.urls import include, path, register_converter

from portal.health import health
from portal.numbers import JobNumber
from portal.overview import overview, running

register_converter(JobNumber, "job")

urlpatterns = [
    path("", overview, name="overview"),
    path("running/", running, name="overview-running"),
    path("health/", health, name="health"),
    path("", include("portal.access.urls")),
    path("", include("portal.jobs.urls")),
    path("", include("portal.audit.urls")),
    path("", include("sync_setup.urls")),
]
