from __future__ import annotations

from django.urls import path

from portal.audit import views

app_name = "audit"
urlpatterns = [
    path("history/", views.history, name="list"),
    path("history/<int:number>/", views.entry, name="entry"),
]
