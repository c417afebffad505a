from __future__ import annotations

import time
import uuid
import zoneinfo
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from portal.audit.record import request_number
from portal.errors import PortalError
from portal.problem import problem_of_error

Answer = Callable[[HttpRequest], HttpResponse]
# Parts of pages that look again by themselves.
_POLLED = ("/live/", "/running/", "/events/")


class RequestNumber:
    """Give every request a number that stands in its history lines, its error pages and its answer's header."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = str(uuid.uuid4())
        token = request_number.set(number)
        try:
            response = self.answer(request)
        finally:
            request_number.reset(token)
        response["X-Request-Id"] = number
        return response


class NotKept:
    """Have no page kept by a browser or on the way, error pages and the sign-in page included.

    What may be kept says so itself: static files do.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response


class IdleSession:
    """End a session that nobody used for IDLE_S; SESSION_COOKIE_AGE ends it whatever happens.

    A page that looks again by itself is no use: polled fragments do not count.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            begun = int(request.session.get("begun_at", now))
            seen = int(request.session.get("seen_at", now))
            if now - seen > settings.IDLE_S or now - begun > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif now - seen > 30 and not request.path.endswith(_POLLED):
                request.session["seen_at"] = now
        return self.answer(request)


class SignedInByDefault:
    """Every page needs a signed-in person unless its view says ``open_to_all``."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            # What somebody may see is nobody else's, not even this browser's after sign-out.
            response["Cache-Control"] = "no-store, private"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, options: object
    ) -> HttpResponse | None:
        if request.user.is_authenticated or getattr(view, "open_to_all", False):
            return None
        if request.headers.get("HX-Request"):
            return render(
                request, "_signed_out.html", {"sign_in_url": _sign_in_url(request)}, status=401
            )
        return redirect_to_login(request.get_full_path())


def _sign_in_url(request: HttpRequest) -> str:
    """Give the way back to the page (not the part of it) that asked."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    target = f"{page.path}?{page.query}" if page.query else page.path or "/"
    return f"{settings.LOGIN_URL}?{urlencode({'next': target})}"


class PersonsTimeZone:
    """Show times in the person's zone, or the installation's."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "time_zone", "") or settings.DISPLAY_TIME_ZONE
        try:
            zone = zoneinfo.ZoneInfo(chosen)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            zone = zoneinfo.ZoneInfo("UTC")
        with timezone.override(zone):
            return self.answer(request)


class PortalErrorPages:
    """Show an anticipated failure where it happened: as a page, or as a notice for a partial request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PortalError):
            return None
        back = request.headers.get("Referer", "")
        context = {
            "problem": problem_of_error(
                error,
                request_number=request_number.get(),
                at=timezone.now(),
                place=f"{request.method} {request.path}",
                changing=request.method not in ("GET", "HEAD"),
            ),
            "back": back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "",
        }
        template = "_error.html" if request.headers.get("HX-Request") else "error.html"
        return render(request, template, context, status=error.status)
