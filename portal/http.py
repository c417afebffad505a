from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from portal.access.models import Person


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in: what every view but the sign-in ones gets."""

    user: Person
    htmx: HtmxDetails
