from __future__ import annotations

from django.urls import include, path


urlpatterns = [
    path("", include("portal.access.urls")),
    path("", include("sync_setup.urls")),
]
