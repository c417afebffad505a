from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from portal.access.models import Person


class BreakGlass(BaseBackend):
    """The local account for the day the identity provider is away. Off unless BREAK_GLASS is on."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", **rest: Any
    ) -> Person | None:
        person = Person.objects.filter(
            username=username, is_break_glass=True, is_active=True
        ).first()
        if person is None:
            Person().set_password(password)  # same time for a name that does not exist
            return None
        return person if settings.BREAK_GLASS and person.check_password(password) else None

    def get_user(self, user_id: int) -> Person | None:
        person = Person.objects.filter(pk=user_id, is_active=True).first()
        # Switched off, it ends the sessions that it began.
        if person is not None and person.is_break_glass and not settings.BREAK_GLASS:
            return None
        return person
