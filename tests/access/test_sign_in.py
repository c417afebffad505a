from __future__ import annotations

import pytest

from portal.access.models import Person, Scope
from portal.audit.models import Entry
from tests.access.browser import Browser, held, person
from tests.access.conftest import NewBrowser
from tests.simulator_process import SimulatorProcess

PEOPLE = "tenants/0/people"


def _roles(entra: SimulatorProcess, username: str, *roles: str) -> None:
    entra.set_world(f"{PEOPLE}/{username}@contoso.example/roles", list(roles))


def test_a_person_signs_in_and_is_known_by_issuer_and_object_id(
    entra: SimulatorProcess, browser: Browser
) -> None:
    answer = browser.sign_in("mira.patel", then="/jobs/?state=draft")

    assert (answer.status_code, answer["Location"]) == (302, "/jobs/?state=draft")
    assert browser.is_in
    mira = person("mira.patel")
    assert mira.name == "Mira Patel"
    told = {row["username"]: row for row in entra.world("tenants", 0, "people")}
    assert mira.subject == told["mira.patel@contoso.example"]["id"]
    assert mira.issuer.endswith(f"/{entra.addresses['tenant_id']}/v2.0")
    assert held(mira) == {("requester", None)}
    assert not mira.has_usable_password()


def test_history_says_who_signed_in_with_which_roles(
    entra: SimulatorProcess, browser: Browser
) -> None:
    browser.sign_in("jonas.weber")

    line = Entry.objects.get()
    assert (line.event, line.actor) == ("person.signed_in", person("jonas.weber"))
    assert line.detail == {"roles": ["Sss.Approver"]}
    assert "contoso.example" not in str(line.detail)


def test_a_scoped_role_counts_in_its_organization_alone(
    entra: SimulatorProcess, browser: Browser, scope: Scope
) -> None:
    service = Scope.objects.create(kind="organization", slug="contososervice", title="Service")

    browser.sign_in("olaf.stein")

    olaf = person("olaf.stein")
    assert held(olaf) == {("requester", "contososervice")}
    assert list(Scope.objects.for_person(olaf)) == [service]


def test_a_role_of_an_organization_that_is_not_here_counts_nowhere(
    entra: SimulatorProcess, browser: Browser, scope: Scope
) -> None:
    browser.sign_in("olaf.stein")

    assert held(person("olaf.stein")) == set()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Sss.Approver", {("approver", None)}),
        ("Sss.APPROVER.contoso", {("approver", "contoso")}),
        ("Sss.Approver.", set()),
        ("Sss.Approver.Contoso", set()),
        ("Sss.Approver.contoso.more", set()),
        ("Sss.Superuser", set()),
        ("Sss.", set()),
        ("Approver", set()),
        ("SssApprover", set()),
        ("xSss.Approver", set()),
        ("Sss.Approver contoso", set()),
    ],
)
def test_only_exact_role_values_count(
    entra: SimulatorProcess,
    browser: Browser,
    scope: Scope,
    said: str,
    kept: set[tuple[str, str | None]],
) -> None:
    _roles(entra, "vera.lang", said)

    browser.sign_in("vera.lang")

    assert held(person("vera.lang")) == kept


def test_a_role_named_twice_in_two_spellings_is_one(
    entra: SimulatorProcess, browser: Browser
) -> None:
    _roles(entra, "vera.lang", "Sss.Viewer", "Sss.viewer", "Sss.VIEWER")

    answer = browser.sign_in("vera.lang")

    assert answer.status_code == 302
    assert held(person("vera.lang")) == {("viewer", None)}


def test_roles_lost_at_the_provider_are_lost_at_the_next_sign_in(
    entra: SimulatorProcess, new_browser: NewBrowser
) -> None:
    new_browser().sign_in("jonas.weber")
    jonas = person("jonas.weber")
    jonas.grants.create(role="viewer", scope=None, source="portal")
    _roles(entra, "jonas.weber", "Sss.Auditor")

    new_browser().sign_in("jonas.weber")

    assert held(jonas) == {("auditor", None), ("viewer", None)}


def test_a_renamed_person_stays_the_same_person(
    entra: SimulatorProcess, new_browser: NewBrowser
) -> None:
    new_browser().sign_in("mira.patel")
    before = person("mira.patel")
    entra.set_world(f"{PEOPLE}/mira.patel@contoso.example/name", "Mira Weber")
    entra.set_world(f"{PEOPLE}/mira.patel@contoso.example/username", "mira.weber@contoso.example")

    new_browser().sign_in("mira.weber")

    after = Person.objects.get()
    assert (after.pk, after.username) == (before.pk, "mira.weber@contoso.example")
    assert after.name == "Mira Weber"


def test_a_user_name_that_passed_to_somebody_else_brings_no_rights(
    entra: SimulatorProcess, new_browser: NewBrowser
) -> None:
    """Twice in a row: the second former holder must not stand in the way of the third."""
    new_browser().sign_in("mira.patel")
    first = person("mira.patel")
    for number in (2, 3):
        entra.set_world(
            f"{PEOPLE}/mira.patel@contoso.example/id",
            f"00000000-0000-0000-0000-00000000000{number}",
        )
        _roles(entra, "mira.patel", "Sss.Viewer")
        answer = new_browser().sign_in("mira.patel")
        assert answer.status_code == 302

    now = person("mira.patel")
    assert Person.objects.count() == 3
    assert now.pk != first.pk
    assert held(now) == {("viewer", None)}
    first.refresh_from_db()
    assert first.username != now.username
    assert held(first) == {("requester", None)}


def test_a_token_cannot_take_the_break_glass_account_over(
    entra: SimulatorProcess, browser: Browser
) -> None:
    local = Person(username="mira.patel@contoso.example", is_break_glass=True)
    local.set_password("a long enough pass phrase")
    local.save()

    browser.sign_in("mira.patel")

    local.refresh_from_db()
    assert local.username == "mira.patel@contoso.example"
    assert local.check_password("a long enough pass phrase")
    signed_in = Person.objects.exclude(pk=local.pk).get()
    assert held(signed_in) == {("requester", None)}


def test_an_auditor_lands_on_the_history(entra: SimulatorProcess, browser: Browser) -> None:
    assert browser.sign_in("anna.fischer")["Location"] == "/history/"
