"""Whether a process does its work, told to whoever restarts it: a container engine, an init system, a probe."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.access.views import open_to_all
from portal.jobs.models import Installation


@open_to_all
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 ``ok`` while pages can be served: the database answers and is a portal's. Otherwise 503.

    It says no more than that, because nobody has signed in. The broker is left out on purpose: without
    it jobs start some seconds later, and a restart of the web tier would not bring it back.
    """
    try:
        is_ready = Installation.objects.exists()
    except DatabaseError:
        is_ready = False
    return HttpResponse(
        "ok" if is_ready else "The database does not answer.",
        status=200 if is_ready else 503,
        content_type="text/plain; charset=utf-8",
    )
