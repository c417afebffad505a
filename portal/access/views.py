from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access import actions, identity, refusals
from portal.access.models import Person, Role
from portal.access.roles import roles_of
from portal.audit.record import record
from portal.errors import NotAllowed

View = Callable[..., HttpResponse]
BACKEND = "portal.access.backends.BreakGlass"


def open_to_all(view: View) -> View:
    """Let people in who are not signed in."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


@open_to_all
@never_cache
@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door: one button to the identity provider."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next(request))
    request.session["next"] = _next(request)
    return render(
        request,
        "access/sign_in.html",
        {"identity_provider": identity.is_configured(), "break_glass": settings.BREAK_GLASS},
    )


@open_to_all
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the identity provider."""
    flow = identity.begin()
    request.session["sign_in"] = flow
    return redirect(flow["auth_uri"])


@open_to_all
@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Take back what the identity provider says."""
    flow = request.session.pop("sign_in", None)
    if flow is None:
        raise NotAllowed(
            "This sign-in was not started from this browser, or it was finished already.",
            remedy="Start the sign-in again.",
            code="SSS-SIGN-IN",
        )
    who = identity.finish(flow, request.GET.dict())
    person = actions.sign_in(
        issuer=who.issuer,
        subject=who.subject,
        username=who.username,
        name=who.name,
        app_roles=who.roles,
    )
    if not person.is_active:
        raise NotAllowed(
            "This account is disabled in the portal.", remedy="Ask an admin of the portal."
        )
    return _enter(request, person)


@open_to_all
@never_cache
@sensitive_post_parameters("password")
@sensitive_variables("password")
@require_http_methods(["GET", "POST"])
def break_glass(request: HttpRequest) -> HttpResponse:
    """Sign in with the local account, for the day the identity provider is away."""
    if not settings.BREAK_GLASS:
        raise NotAllowed(
            "The break-glass account is switched off.",
            remedy="Sign in with your work account.",
            code="SSS-BREAK-GLASS",
        )
    if request.method == "GET":
        return render(request, "access/break_glass.html")
    # PostgreSQL refuses to be asked for a NUL.
    username = request.POST.get("username", "").replace("\0", "")
    password = request.POST.get("password", "")
    address = request.META.get("REMOTE_ADDR", "")
    throttled = refusals.is_throttled(address)
    person: Any = None if throttled else authenticate(request, username=username, password=password)
    if person is None:
        if not throttled:
            refusals.note(username, address)
        context = {"failed": True, "throttled": throttled, "username": username}
        return render(request, "access/break_glass.html", context, status=403)
    with transaction.atomic():
        record("person.signed_in", person, by=person, break_glass=True)
    return _enter(request, person)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session on the server, and in this browser."""
    person = request.user
    if isinstance(person, Person):
        with transaction.atomic():
            record("person.signed_out", person, by=person)
    logout(request)
    return redirect("access:sign-in")


def _enter(request: HttpRequest, person: Person) -> HttpResponse:
    target = request.session.get("next", settings.LOGIN_REDIRECT_URL)
    if target == settings.LOGIN_REDIRECT_URL and roles_of(person) == [Role.AUDITOR]:
        target = reverse("audit:list")
    login(request, person, backend=BACKEND)
    request.session["begun_at"] = request.session["seen_at"] = int(time.time())
    # Not redirect(): it would take "overview" for the name of a page.
    return HttpResponseRedirect(target)


def _next(request: HttpRequest) -> str:
    target = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else settings.LOGIN_REDIRECT_URL
