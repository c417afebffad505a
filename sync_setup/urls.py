from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "sync_setup"
urlpatterns: list[URLPattern | URLResolver] = []
