from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "portal.access"
    label = "access"

    def ready(self) -> None:
        from portal.access.sessions import forget_ended_sessions
        from portal.jobs import duties

        duties.register(duties.DutyKind("forget-ended-sessions", 600, forget_ended_sessions))
