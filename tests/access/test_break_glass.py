from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal import settings as defaults
from portal.access import refusals
from portal.access.models import Person
from portal.audit.models import Entry

PASSWORD = "correct horse battery staple"
PAGE = "/sign-in/break-glass/"


@pytest.fixture
def glass(database_url: str, settings: Any) -> Person:
    """The account, switched on."""
    settings.BREAK_GLASS = True
    account = Person(username="break-glass", name="Break-glass account", is_break_glass=True)
    account.set_password(PASSWORD)
    account.save()
    return account


def _try(
    browser: Client, name: str = "break-glass", password: str = PASSWORD, address: str = "127.0.0.1"
) -> Any:
    form = {"username": name, "password": password}
    return browser.post(PAGE, form, REMOTE_ADDR=address)


def _events() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("event", flat=True))


def test_it_is_off_unless_somebody_switched_it_on(glass: Person, settings: Any) -> None:
    assert defaults.BREAK_GLASS is False
    settings.BREAK_GLASS = False
    browser = Client()

    assert "break-glass" not in browser.get("/sign-in/").text
    assert browser.get(PAGE).status_code == 403
    assert _try(browser).status_code == 403
    assert browser.get("/").status_code == 302


def test_it_signs_in_and_stands_in_the_history(glass: Person) -> None:
    browser = Client()
    browser.get(PAGE)

    assert _try(browser).status_code == 302
    assert browser.get("/").status_code == 200
    line = Entry.objects.get()
    assert (line.event, line.actor) == ("person.signed_in", glass)
    assert line.detail == {"break_glass": True}


def test_switched_off_it_ends_the_session_it_began(glass: Person, settings: Any) -> None:
    browser = Client()
    _try(browser)

    settings.BREAK_GLASS = False

    assert browser.get("/").status_code == 302


def test_a_new_password_ends_its_sessions(glass: Person) -> None:
    browser = Client()
    _try(browser)

    glass.set_password("another long pass phrase")
    glass.save()

    assert browser.get("/").status_code == 302


def test_a_disabled_account_does_not_sign_in(glass: Person) -> None:
    glass.is_active = False
    glass.save()

    assert _try(Client()).status_code == 403


def test_a_person_of_the_identity_provider_has_no_password_here(
    glass: Person, mira: Person
) -> None:
    for password in ("", "!", mira.password):
        assert _try(Client(), "mira", password).status_code == 403


@pytest.mark.parametrize(
    "name", ["break-glass", "nobody", "", "\x00", "break-glass\x00", "x" * 500]
)
def test_a_wrong_password_and_a_wrong_name_look_the_same(glass: Person, name: str) -> None:
    refused = _try(Client(), name, "wrong")

    assert refused.status_code == 403
    assert "Name and password do not fit" in refused.text
    assert "wrong" not in refused.text


def test_the_eleventh_try_is_not_looked_at(glass: Person) -> None:
    """With the right password, in a new browser: what was tried stands in the database."""
    for _ in range(10):
        assert _try(Client(), password="wrong").status_code == 403

    answer = _try(Client())

    assert answer.status_code == 403
    assert "Too many tries" in answer.text
    assert _events() == [refusals.EVENT] * 10


def test_unknown_names_count_as_tries(glass: Person) -> None:
    for number in range(10):
        _try(Client(), f"guess-{number}", "wrong")

    assert "Too many tries" in _try(Client()).text


def test_another_address_is_not_held_back_until_many_are(glass: Person) -> None:
    for _ in range(10):
        _try(Client(), password="wrong")
    assert _try(Client(), address="10.0.0.9").status_code == 302

    for number in range(40):
        refusals.note("break-glass", f"10.0.1.{number}")
    assert "Too many tries" in _try(Client(), address="10.0.0.10").text


def test_after_a_while_it_may_be_tried_again(glass: Person) -> None:
    for _ in range(10):
        Entry.objects.create(
            at=timezone.now() - timedelta(minutes=15, seconds=1),
            via="web",
            event=refusals.EVENT,
            subject="access.person:None",
            detail={"break_glass": True, "address": "127.0.0.1"},
        )

    assert _try(Client()).status_code == 302


def test_history_tells_the_account_and_the_address_and_nothing_that_was_typed(
    glass: Person,
) -> None:
    _try(Client(), password="typed-password")
    _try(Client(), "a-password-in-the-wrong-field", "typed-password")

    known, unknown = Entry.objects.order_by("pk")
    assert known.subject == f"access.person:{glass.pk}"
    assert unknown.subject == "access.person:None"
    assert known.detail["address"] == "127.0.0.1"
    for line in (known, unknown):
        assert "password" not in f"{line.subject}{line.detail}"


def test_the_form_needs_its_token(glass: Person) -> None:
    assert _try(Client(enforce_csrf_checks=True)).status_code == 403
    assert not Entry.objects.exists()
