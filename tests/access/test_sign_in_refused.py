from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.access.models import Person
from portal.audit.models import Entry
from tests.access.browser import Browser, held, person
from tests.access.conftest import NewBrowser
from tests.access.forging_provider import ForgingProvider
from tests.simulator_process import SimulatorProcess

MIRA = "mira.patel@contoso.example"


def _is_refused(answer: Any, browser: Browser, *words: str) -> None:
    assert answer.status_code == 403, answer.text
    for text in words:
        assert text in answer.text
    assert not browser.is_in


def test_another_state_is_refused(entra: SimulatorProcess, browser: Browser) -> None:
    back = browser.choose(browser.begin(), MIRA)
    state = parse_qs(urlsplit(back).query)["state"][0]

    answer = browser.come_back(back.replace(state, "x" * len(state)))

    _is_refused(answer, browser, "not started from this browser")
    assert not Person.objects.exists()


def test_a_missing_state_is_refused(entra: SimulatorProcess, browser: Browser) -> None:
    back = browser.choose(browser.begin(), MIRA)
    code = parse_qs(urlsplit(back).query)["code"][0]

    _is_refused(browser.portal.get(f"/sign-in/callback/?code={code}"), browser)


def test_an_answer_brought_to_another_browser_is_refused(
    entra: SimulatorProcess, new_browser: NewBrowser
) -> None:
    """Login CSRF: the attacker's own code, slipped to a victim who also has begun to sign in."""
    attacker, victim = new_browser(), new_browser()
    back = attacker.choose(attacker.begin(), MIRA)
    victim.begin()

    _is_refused(victim.come_back(back), victim, "not started from this browser")


def test_an_answer_to_a_browser_that_began_nothing_is_refused(
    entra: SimulatorProcess, new_browser: NewBrowser
) -> None:
    attacker, victim = new_browser(), new_browser()
    back = attacker.choose(attacker.begin(), MIRA)

    _is_refused(victim.come_back(back), victim)


def test_a_callback_counts_once(entra: SimulatorProcess, browser: Browser) -> None:
    back = browser.choose(browser.begin(), MIRA)
    assert browser.come_back(back).status_code == 302
    browser.portal.post("/sign-out/")

    _is_refused(browser.come_back(back), browser, "finished already")


def test_a_code_redeemed_elsewhere_is_refused(entra: SimulatorProcess, browser: Browser) -> None:
    back = browser.choose(browser.begin(), MIRA)
    session = browser.portal.session
    kept = dict(session["sign_in"])
    browser.come_back(back)
    browser.portal.cookies.clear()
    session = browser.portal.session
    session["sign_in"] = kept  # as if the portal had not forgotten it
    session.save()

    _is_refused(browser.come_back(back), browser, "refused the sign-in")


def test_another_nonce_is_refused(entra: SimulatorProcess, browser: Browser) -> None:
    back = browser.choose(browser.begin(), MIRA)
    session = browser.portal.session
    session["sign_in"] = session["sign_in"] | {"nonce": "another"}
    session.save()

    _is_refused(browser.come_back(back), browser, "belongs to another sign-in")
    assert not Person.objects.exists()


def test_a_provider_that_says_no_is_told_by_its_code_alone(
    entra: SimulatorProcess, browser: Browser
) -> None:
    address = browser.begin()
    state = parse_qs(urlsplit(address).query)["state"][0]
    text = "<script>alert(1)</script>"

    answer = browser.portal.get(
        "/sign-in/callback/",
        {"error": "access_denied", "error_description": text, "state": state},
    )

    _is_refused(answer, browser, "access_denied")
    assert "alert(1)" not in answer.text


def test_an_account_disabled_in_the_portal_is_refused_and_noted(
    entra: SimulatorProcess, new_browser: NewBrowser
) -> None:
    new_browser().sign_in("mira.patel")
    mira = person("mira.patel")
    mira.is_active = False
    mira.save()
    mira.grants.all().delete()
    browser = new_browser()

    _is_refused(browser.sign_in("mira.patel"), browser, "disabled in the portal")

    assert held(mira) == set()
    told = list(Entry.objects.order_by("pk").values_list("event", flat=True))
    assert told == ["person.signed_in", "person.sign_in_refused"]


def test_a_provider_that_is_away_costs_no_500(
    entra: SimulatorProcess, browser: Browser, settings: Any
) -> None:
    back = browser.choose(browser.begin(), MIRA)
    settings.SIGN_IN_AUTHORITY = f"https://127.0.0.1:9/{entra.addresses['tenant_id']}"

    answer = browser.come_back(back)

    assert answer.status_code == 502
    assert "The identity provider does not answer" in answer.text
    assert browser.portal.post("/sign-in/begin/").status_code == 502


@pytest.mark.parametrize("status", [500, 503])
def test_a_provider_that_fails_at_the_last_step_costs_no_500(
    entra: SimulatorProcess, browser: Browser, status: int
) -> None:
    back = browser.choose(browser.begin(), MIRA)
    entra.add_dial(where="entra", match="POST .*/token", fault="status", status=status)

    assert browser.come_back(back).status_code == 502


# --- a provider that errs --------------------------------------------------------------------


def _forged(browser: Browser, forger: ForgingProvider) -> Any:
    return browser.come_back(forger.come_back(browser.begin()))


def test_the_forger_can_tell_the_truth(forger: ForgingProvider, browser: Browser) -> None:
    """Without this the refusals below would prove nothing."""
    assert _forged(browser, forger).status_code == 302
    assert browser.is_in


NOW = int(time.time())
OTHER = "99999999-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0", "tid": OTHER},
        {"iss": None},
        {"iss": ""},
        {"aud": "another-application"},
        {"aud": ["another-application"]},
        {"aud": None},
        {"exp": NOW - 3600},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
    ],
    # A value that tells the time has a word instead: the workers of one run must name their tests alike.
    ids=lambda claims: "-".join(
        f"{name}-{'past' if isinstance(value, int) else value}"[:30]
        for name, value in claims.items()
    ),
)
def test_a_token_that_is_not_for_us_is_refused(
    forger: ForgingProvider, browser: Browser, claims: dict[str, Any]
) -> None:
    forger.claims = claims

    _is_refused(_forged(browser, forger), browser)
    assert not Person.objects.exists()


def test_the_tenant_in_the_issuer_decides_not_the_claim_beside_it(
    forger: ForgingProvider, browser: Browser
) -> None:
    forger.claims = {"iss": forger.issuer.replace("1111", "2222")}

    _is_refused(_forged(browser, forger), browser, "another tenant")


SECRET = "eyJ0eXAi-ACCESS-TOKEN-CANARY"


@pytest.mark.parametrize(
    "body",
    [
        f'{{"access_token": "{SECRET}", "id_tok'.encode(),
        f"<html>{SECRET}</html>".encode(),
        f'["{SECRET}"]'.encode(),
        b"",
        b"\xff\xfe\x00",
        f'{{"access_token": "{SECRET}", "id_token": "no-token"}}'.encode(),
        f'{{"access_token": "{SECRET}", "id_token": "a.b.c"}}'.encode(),
        f'{{"access_token": "{SECRET}"}}'.encode(),
    ],
)
def test_garbage_is_refused_and_never_logged(
    forger: ForgingProvider, browser: Browser, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    forger.body = body

    with caplog.at_level(logging.DEBUG):
        answer = _forged(browser, forger)

    assert answer.status_code in (403, 502)
    assert not browser.is_in
    assert SECRET not in caplog.text
    assert SECRET not in answer.text


def test_long_names_are_cut_not_refused(forger: ForgingProvider, browser: Browser) -> None:
    forger.claims = {"name": "N" * 256, "preferred_username": "u" * 200 + "@contoso.example"}

    assert _forged(browser, forger).status_code == 302
    kept = Person.objects.get()
    assert (len(kept.name), len(kept.username)) == (150, 120)


def test_no_name_at_all_is_none(forger: ForgingProvider, browser: Browser) -> None:
    forger.claims = {"name": None, "preferred_username": None, "oid": None, "roles": None}

    assert _forged(browser, forger).status_code == 302
    kept = Person.objects.get()
    assert (kept.subject, kept.username, kept.name) == ("subject-1", "subject-1", "subject-1")


def test_a_role_that_is_no_list_is_one_role(forger: ForgingProvider, browser: Browser) -> None:
    """Otherwise its letters would be the roles."""
    forger.claims = {"roles": "Sss.Viewer"}

    _forged(browser, forger)

    assert held(Person.objects.get()) == {("viewer", None)}
