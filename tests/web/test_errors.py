from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse

from portal.access.models import Person
from portal.access.views import open_to_all
from portal.errors import Refused
from portal.jobs.models import Job
from portal.urls import urlpatterns as portal_urls
from tests.web.conftest import As


def refuses(request: HttpRequest) -> HttpResponse:
    raise Refused(
        "Graph said <no>.",
        remedy="Ask an administrator.\nSee https://learn.microsoft.com/x.",
        system="Microsoft Graph",
        detail={"status": "403"},
    )


@open_to_all
def breaks(request: HttpRequest) -> HttpResponse:
    raise ValueError("a secret word")


urlpatterns = [*portal_urls, path("refuses/", refuses), path("breaks/", breaks)]

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.parametrize("name", ["overview", "jobs:list", "jobs:approvals", "audit:list"])
def test_every_page_carries_the_policy_and_stays_in_no_cache(
    name: str, mira: Person, as_: As
) -> None:
    response = as_(mira).get(reverse(name))

    assert {part.strip() for part in response["Content-Security-Policy"].split(";")} >= POLICY
    assert response["Cache-Control"] == "no-store, private"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f-]{36}", response["X-Request-Id"])


def test_htmx_neither_evaluates_nor_keeps_pages(mira: Person, as_: As) -> None:
    text = as_(mira).get(reverse("overview")).text

    for part in (
        '"allowEval": false',
        '"includeIndicatorStyles": false',
        '"allowScriptTags": false',
        '"historyCacheSize": 0',
        "htmx-2.min.js",
    ):
        assert part in text


@pytest.mark.urls(__name__)
def test_an_anticipated_failure_says_what_happened_and_how_to_go_on(mira: Person, as_: As) -> None:
    response = as_(mira).get("/refuses/")

    assert response.status_code == 502
    assert "<title>Error: Graph said &lt;no&gt;." in response.text
    assert '<h1 id="problem-title">Graph said &lt;no&gt;.</h1>' in response.text
    assert "<li>Ask an administrator.</li>" in response.text
    assert '<a href="https://learn.microsoft.com/x" rel="noreferrer">' in response.text
    assert f"Request {response['X-Request-Id']}" in response.text
    assert "status: 403" in response.text


@pytest.mark.urls(__name__)
def test_the_same_failure_is_a_notice_for_a_part_of_a_page(mira: Person, as_: As) -> None:
    response = as_(mira).get("/refuses/", headers={"HX-Request": "true"})

    assert response.status_code == 502
    assert response.text.startswith('<div id="notice">')
    assert "<html" not in response.text


@pytest.mark.urls(__name__)
def test_a_defect_tells_a_number_and_nothing_else(database_url: str) -> None:
    browser = Client(raise_request_exception=False)

    response = browser.get("/breaks/")

    assert response.status_code == 500
    assert response["X-Request-Id"] in response.text
    assert "secret word" not in response.text
    assert 'id="notice"' in response.text


def test_an_unknown_address_is_a_page_of_the_portal(mira: Person, as_: As) -> None:
    response = as_(mira).get("/nowhere/")

    assert response.status_code == 404
    assert "There is no such page" in response.text


def test_a_form_without_its_token_is_refused_with_the_fix(waiting: Job, jonas: Person) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(jonas, backend="portal.access.backends.BreakGlass")

    response = browser.post(reverse("jobs:approve", args=[waiting.number]))

    assert response.status_code == 403
    assert "This form was too old" in response.text


def test_the_form_of_the_page_carries_a_token_that_counts(waiting: Job, jonas: Person) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(jonas, backend="portal.access.backends.BreakGlass")
    text = browser.get(reverse("jobs:review", args=[waiting.number])).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
    digest = re.search(r'name="digest" value="(\w+)"', text)
    assert token is not None
    assert digest is not None

    response = browser.post(
        reverse("jobs:approve", args=[waiting.number]),
        {"csrfmiddlewaretoken": token.group(1), "digest": digest.group(1), "proof": "7E42"},
    )

    assert response.status_code == 302


def test_the_door_has_one_button_and_no_script(database_url: str, settings: object) -> None:
    settings.SIGN_IN_AUTHORITY = "https://login.example/tenant"  # type: ignore[attr-defined]
    settings.SIGN_IN_CLIENT_ID = "app"  # type: ignore[attr-defined]

    response = Client().get(reverse("access:sign-in"))

    assert "Sign in with your work account" in response.text
    assert "<script" not in response.text
    assert "Rehearsal" in response.text


def test_without_an_identity_provider_the_door_says_what_to_set(database_url: str) -> None:
    text = Client().get(reverse("access:sign-in")).text

    assert "SIGN_IN_AUTHORITY" in text
    assert "<button" not in text


def test_the_break_glass_form_keeps_the_name_and_never_the_password(
    database_url: str, settings: object
) -> None:
    settings.BREAK_GLASS = True  # type: ignore[attr-defined]

    response = Client().post(
        reverse("access:break-glass"), {"username": "glass", "password": "canary-9"}
    )

    assert response.status_code == 403
    assert 'value="glass"' in response.text
    assert "canary-9" not in response.text
    assert "Name and password do not fit" in response.text


def test_signing_out_ends_the_session(mira: Person, as_: As) -> None:
    browser = as_(mira)
    assert "Sign out" in browser.get(reverse("overview")).text

    browser.post(reverse("access:sign-out"))

    assert browser.get(reverse("overview")).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "/sign-in/",
        "/sign-in/break-glass/",
        "/static/nothing.css",
        "/nowhere/",
        "/breaks/",
        "/health/",
    ],
)
@pytest.mark.urls(__name__)
def test_no_page_that_is_open_to_all_is_kept(address: str, database_url: str) -> None:
    response = Client(raise_request_exception=False).get(address)

    assert "no-store" in response["Cache-Control"]


def test_a_host_that_is_not_ours_gets_an_answer_that_nobody_keeps(
    database_url: str, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["portal.example"]
    response = Client(raise_request_exception=False).get("/", headers={"Host": "elsewhere.example"})

    assert response.status_code == 400
    assert "no-store" in response["Cache-Control"]
