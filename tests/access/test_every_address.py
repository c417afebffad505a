"""Who gets an answer at which address: generated from the table of addresses, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from portal.access.models import Person, Role, Scope
from portal.audit.models import Entry
from portal.jobs import actions
from portal.jobs.models import Approval, Job
from tests.access.addresses import every_address
from tests.access.conftest import As
from tests.access.planning import Desk
from tests.conftest import make_person
from tests.web_setup.world import Company, make_company, profile, read

EVERY = every_address()
# What only somebody of the organization may ever read.
MARKS = (
    "ContosoSales",
    "contososales",
    "Contoso CRM",
    "CRM-APP01",
    "CRM-APP02",
    "Hybrid of Contoso",
)


@pytest.fixture
def company(database_url: str) -> Company:
    """A company with everything that has an address: a reading, a profile, jobs, lines of history."""
    found = make_company(make_person("tom", Role.ADMIN))
    read(found.sales)
    profile(found.sales, "Hybrid of Contoso")
    return found


@pytest.fixture
def things(company: Company, mira: Person, tmp_path: Path, settings: Any) -> dict[str, object]:
    """What stands for each parameter."""
    settings.LEASE_S = 120
    scope = company.sales.scope
    draft = actions.draft_job("connect-organization", scope, by=mira)
    waiting = Desk(scope, mira, tmp_path).sent()
    line = Entry.objects.filter(scope=scope).latest("pk")
    server = company.deployment.servers.earliest("pk")
    found = company.sales.server_profiles.get()
    of_job = {
        f"{address.name} number": (draft if "wizard" in address.name else waiting).number
        for address in EVERY
        if address.name.startswith(("jobs:", "sync_setup:wizard"))
    }
    return of_job | {
        "slug": scope.slug,
        "profile_id": found.profile_id,
        "thumbprint": "AB" * 20,
        "question": "ews-allow-list",
        "audit:entry number": line.pk,
        "sync_setup:tenant number": company.tenant.pk,
        "sync_setup:deployment slug": company.deployment.slug,
        "sync_setup:add-server slug": company.deployment.slug,
        "sync_setup:change-server slug": company.deployment.slug,
        "sync_setup:change-server number": server.pk,
    }


@pytest.fixture
def outsider(company: Company) -> Person:
    """Holds every role there is, in another organization."""
    other = Scope.objects.create(kind="organization", slug="other", title="Other")
    person = make_person("outsider", Role.VIEWER, other)
    for role in Role.values:
        person.grants.get_or_create(role=role, scope=other, source="portal")
    return person


def _both(browser: Client, address: str, **more: Any) -> Iterator[Any]:
    yield browser.get(address, **more)
    yield browser.post(address, {}, **more)


def _state() -> list[Any]:
    """What a request that was refused must not have changed."""
    return [
        list(Job.objects.order_by("pk").values()),
        Approval.objects.count(),
        Entry.objects.exclude(event="person.sign_in_refused").count(),
    ]


def test_there_are_addresses() -> None:
    assert len(EVERY) > 50
    assert len({address.name for address in EVERY}) == len(EVERY)


def test_open_to_all_is_the_door_and_the_probe_alone() -> None:
    assert sorted(address.name for address in EVERY if address.is_open) == [
        "access:begin",
        "access:break-glass",
        "access:callback",
        "access:sign-in",
        "health",
    ]


def test_nobody_gets_anywhere_without_signing_in(things: dict[str, object]) -> None:
    before = _state()
    for address in EVERY:
        if address.is_open:
            continue
        for answer in _both(Client(), address.of(things)):
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/sign-in/?next=/"), address
        for answer in _both(Client(), address.of(things), headers={"HX-Request": "true"}):
            assert answer.status_code == 401, address
            assert not any(mark in answer.text for mark in MARKS), address
    assert _state() == before


def test_somebody_of_another_organization_sees_and_changes_nothing(
    things: dict[str, object], outsider: Person, as_: As
) -> None:
    before = _state()
    for address in EVERY:
        if address.is_open or address.name == "access:sign-out":
            continue
        for answer in _both(as_(outsider), address.of(things)):
            where = f"{answer.request['REQUEST_METHOD']} {address}: {answer.status_code}"
            # What is done by POST sends a GET on to the job's page, whosever it is and wherever it leads.
            is_sent_on = answer.status_code == 302 and answer["Location"].startswith("/jobs/J-")
            if address.parameters and not is_sent_on:
                assert answer.status_code in (403, 404, 405), where
            else:
                assert answer.status_code < 500, where
            text = b"".join(answer).decode() if answer.streaming else answer.text
            # The address itself may be repeated in the words of the refusal.
            text = text.replace(address.of(things), "").replace("contososales for you", "")
            found = [mark for mark in MARKS if mark in text]
            assert not found, f"{where} shows {found}"
    assert _state() == before


def test_not_there_and_not_yours_read_the_same(
    things: dict[str, object], outsider: Person, as_: As
) -> None:
    nobodys = things | {
        name: value + 100_000 for name, value in things.items() if isinstance(value, int)
    }
    nobodys["slug"] = "nobody"
    browser = as_(outsider)
    for address in EVERY:
        if not address.parameters or (
            "sync_setup:" in address.name and "slug" not in address.parameters
        ):
            continue
        theirs, none = (browser.get(address.of(one)) for one in (things, nobodys))
        assert theirs.status_code == none.status_code, address


@pytest.mark.parametrize("role", [*Role.values, ""])
def test_no_role_meets_a_defect_anywhere(things: dict[str, object], as_: As, role: str) -> None:
    """Neither an empty form nor a wrong one is a 500; the test client raises what a view does not catch."""
    person = make_person(f"some-{role}", role) if role else Person.objects.create(username="none")
    browser = as_(person)
    odd = dict.fromkeys(FIELDS, ODD)
    for address in EVERY:
        if address.name in ("access:sign-out", "access:begin", "access:callback"):
            continue
        where = address.of(things)
        for answer in (*_both(browser, where), browser.get(where, odd), browser.post(where, odd)):
            assert answer.status_code < 500, (address, answer.status_code)


# NUL, which PostgreSQL refuses; a lone surrogate cannot be sent; markup; numbers beyond every column.
ODD = "\x00'\"<script>alert(1)</script>\u202e" + "9" * 40
FIELDS = (
    *("before", "after", "to", "of", "seen", "tab", "q", "problems", "state", "kind", "scope"),
    *("mine", "job", "event", "person", "since", "until", "org", "deployment", "next", "back"),
    *("digest", "sent", "proof", "comment", "reason", "ticket", "when", "starts_at", "ends_at"),
    *("answer", "remark", "name", "host", "port", "module_sha256", "tenant_id", "cloud"),
    *("thumbprint", "password", "pilot", "profile_owner", "profile_name", "servers-TOTAL_FORMS"),
    *("servers-INITIAL_FORMS", "web_api_url", "client_id", "access", "secret", "pem", "username"),
    *("unique_name", "environment", "more", "crm_username", "winrm_sign_in", "values"),
)


@pytest.mark.parametrize(
    "address",
    [
        "/organizations/contososales/certificates/%00.cer",
        f"/organizations/contososales/certificates/{'A' * 5000}.cer",
        "/organizations/contososales/certificates/..%2f..%2fetc.cer",
        f"/organizations/{'a' * 5000}/",
        f"/history/{'9' * 40}/",
        f"/settings/tenants/{'9' * 40}/",
        f"/jobs/J-{'9' * 18}/",
        f"/jobs/J-{'9' * 19}/",
        "/jobs/J-0/",
        "/jobs/J-01/",
        "/jobs/j-1/",
        "/jobs/J-%00/",
        "/%00/",
        "/organizations/contososales/answers/%00/",
    ],
)
def test_an_odd_address_is_not_there(
    things: dict[str, object], tom_and_all: Person, as_: As, address: str
) -> None:
    assert as_(tom_and_all).get(address).status_code == 404


@pytest.fixture
def tom_and_all(company: Company) -> Person:
    """Holds every role everywhere."""
    person = make_person("all", Role.ADMIN)
    for role in Role.values:
        person.grants.get_or_create(role=role, scope=None, source="portal")
    return person


@pytest.mark.parametrize("part", range(6))
def test_an_odd_value_is_shown_as_text_if_at_all(
    things: dict[str, object], mira: Person, as_: As, part: int
) -> None:
    """Some fields at a time: one that is refused can hide what a page does with another."""
    browser, odd = as_(mira), dict.fromkeys(FIELDS[part::6], ODD)
    for address in EVERY:
        if address.is_open or address.name == "access:sign-out":
            continue
        answer = browser.get(address.of(things), odd)
        text = b"".join(answer).decode() if answer.streaming else answer.text
        assert "<script>alert" not in text, address


def test_every_answer_tells_the_browser_to_be_careful(
    things: dict[str, object], tom_and_all: Person, as_: As
) -> None:
    browser = as_(tom_and_all)
    for address in EVERY:
        if address.name == "access:sign-out":
            continue
        for answer in _both(browser if not address.is_open else Client(), address.of(things)):
            told = answer.headers
            policy = told["Content-Security-Policy"]
            assert "script-src 'self'" in policy, address
            assert "unsafe" not in policy, address
            assert told["X-Content-Type-Options"] == "nosniff", address
            assert told["X-Frame-Options"] == "DENY", address
            assert told["Cross-Origin-Opener-Policy"] == "same-origin", address
            assert told["Referrer-Policy"] == "same-origin", address
            assert told["X-Request-Id"], address
            cached = told.get("Cache-Control", "")
            assert "no-store" in cached or address.is_open, address
