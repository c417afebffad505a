from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from tests.access.browser import Browser, person, server_sessions
from tests.access.conftest import NewBrowser
from tests.simulator_process import SimulatorProcess

MIRA = "mira.patel@contoso.example"


def _age(browser: Browser, **marks: int) -> None:
    """Let time pass: move the session's marks back by so many seconds."""
    session = browser.portal.session
    for name, seconds in marks.items():
        session[name] = session[name] - seconds
    session.save()


def test_the_session_key_changes_when_somebody_signs_in(
    entra: SimulatorProcess, browser: Browser
) -> None:
    """A key that was planted before (fixation) is worth nothing afterwards."""
    address = browser.begin()
    planted = browser.session_key

    browser.come_back(browser.choose(address, MIRA))

    assert planted
    assert browser.session_key != planted
    thief = Client()
    thief.cookies["session"] = planted
    assert thief.get("/").status_code == 302


def test_another_person_in_the_same_browser_gets_nothing_of_the_first(
    entra: SimulatorProcess, browser: Browser
) -> None:
    browser.sign_in("mira.patel")
    session = browser.portal.session
    session["left"] = "behind"
    session.save()
    key = browser.session_key

    address = str(browser.portal.post("/sign-in/begin/")["Location"])
    browser.come_back(browser.choose(address, "jonas.weber@contoso.example"))

    assert browser.session_key != key
    assert "left" not in browser.portal.session
    assert int(browser.portal.session["_auth_user_id"]) == person("jonas.weber").pk


def test_sign_out_ends_the_session_on_the_server(entra: SimulatorProcess, browser: Browser) -> None:
    browser.sign_in("mira.patel")
    key = browser.session_key

    browser.portal.post("/sign-out/")

    assert server_sessions() == 0
    thief = Client()
    thief.cookies["session"] = key
    assert thief.get("/").status_code == 302


def test_sign_out_is_a_post_with_a_token(entra: SimulatorProcess, browser: Browser) -> None:
    browser.sign_in("mira.patel")

    assert browser.portal.get("/sign-out/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.portal.cookies
    assert strict.post("/sign-out/").status_code == 403
    assert browser.is_in


@pytest.mark.parametrize("marks", [{"seen_at": 1801}, {"begun_at": 8 * 3600 + 1}])
def test_a_session_ends_idle_or_old(
    entra: SimulatorProcess, browser: Browser, marks: dict[str, int]
) -> None:
    browser.sign_in("mira.patel")
    _age(browser, **marks)

    assert not browser.is_in
    assert not browser.is_in


def test_use_keeps_a_session_but_never_past_its_end(
    entra: SimulatorProcess, browser: Browser
) -> None:
    browser.sign_in("mira.patel")
    for _ in range(4):
        _age(browser, seen_at=1700, begun_at=1700)
        assert browser.is_in
    _age(browser, begun_at=8 * 3600 - 4 * 1700 + 1)

    assert not browser.is_in


@pytest.mark.parametrize("address", ["/running/", "/jobs/J-1/live/"])
def test_a_page_that_looks_again_by_itself_is_no_use(
    entra: SimulatorProcess, browser: Browser, address: str
) -> None:
    browser.sign_in("mira.patel")
    for _ in range(3):
        _age(browser, seen_at=900)
        browser.portal.get(address)

    assert not browser.is_in


def test_a_person_disabled_meanwhile_is_out_at_once(
    entra: SimulatorProcess, browser: Browser
) -> None:
    browser.sign_in("mira.patel")
    mira = person("mira.patel")
    mira.is_active = False
    mira.save()

    assert not browser.is_in


def test_the_cookie_is_kept_from_scripts_and_other_sites(
    entra: SimulatorProcess, browser: Browser, settings: Any
) -> None:
    browser.sign_in("mira.patel")

    cookie = browser.portal.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


PAYLOADS = [
    *("https://evil.example", "http://evil.example", "//evil.example", "///evil.example"),
    *("////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example"),
    *("/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example"),
    *("https:evil.example", "https:/evil.example", "https:///evil.example", "HTTPS://EVIL.EXAMPLE"),
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"),
    *("https://testserver@evil.example", "https://testserver.evil.example", "//testserver@evil"),
    *("https://evil.example/testserver", "http://[::1]", "//[evil", "http:evil.example:80"),
    *("\x00https://evil.example", " https://evil.example", "\u2028//evil.example", "%2f%2fevil"),
    *("//evil%E3%80%82example", "//evil。example", "ftp://evil.example", "file:///etc/passwd"),
    *("mailto:x@evil.example", "https://testserver:80@evil.example/", ".evil.example", "@evil"),
    *("/%09/evil.example", "/%5cevil.example", "//%5cevil.example", "/..//evil.example"),
    *("//;@evil.example", "?//evil.example", "#//evil.example", "//evil.example/%2f.."),
    *("overview", "jobs:list", "access:callback", "nothing-of-this-name", "a b", "{% url %}"),
    *("/\r\nSet-Cookie: session=stolen", "/x\r\n\r\n<script>", "/%0d%0aX: y", "..", "...", ""),
    *("http://testserver:8000/", "https://testserver/", "//testserver/", "/sign-in/?next=//evil"),
]


@pytest.mark.parametrize("signed_in_before", [False, True])
def test_no_address_leads_out_of_the_portal(
    entra: SimulatorProcess, new_browser: NewBrowser, signed_in_before: bool
) -> None:
    inside = new_browser()
    inside.sign_in("mira.patel")
    for payload in PAYLOADS:
        if signed_in_before:
            answer = inside.portal.get("/sign-in/", {"next": payload})
        else:
            session = inside.portal.session
            session.pop("_auth_user_id", None)
            session.save()
            answer = inside.sign_in("mira.patel", then=payload)
        _stays(answer, payload)


def _stays(answer: Any, payload: str) -> None:
    assert answer.status_code == 302, (payload, answer.status_code)
    target = answer["Location"]
    assert not any(ord(letter) < 32 for letter in target), payload
    assert "Set-Cookie: session=stolen" not in str(answer.headers)
    # What a browser makes of it: backslashes are slashes, blanks at the ends and controls are gone.
    read = "".join(letter for letter in target.strip() if ord(letter) > 32).replace("\\", "/")
    there = urlsplit(urljoin("http://testserver/sign-in/", read))
    assert there.hostname == "testserver", payload
    assert there.scheme in ("http", "https"), payload


def test_the_way_back_survives_the_sign_in(entra: SimulatorProcess, browser: Browser) -> None:
    asked = browser.portal.get("/jobs/?state=draft&q=a%26b")
    where = asked["Location"]
    assert where == "/sign-in/?next=/jobs/%3Fstate%3Ddraft%26q%3Da%2526b"
    browser.portal.get(where)

    address = str(browser.portal.post("/sign-in/begin/")["Location"])
    answer = browser.come_back(browser.choose(address, MIRA))

    assert answer["Location"] == "/jobs/?state=draft&q=a%26b"
