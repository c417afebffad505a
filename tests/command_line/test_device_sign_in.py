"""Sign-in by device code: a real code, a real page, the claims judged as those of the web sign-in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.access.device_sign_in import DeviceCode, identify
from portal.access.models import Person, RoleGrant
from portal.audit.models import Entry
from portal.errors import NotAllowed
from portal.jobs.actions import sending_of
from portal.jobs.models import Approval, Installation, Job
from tests.command_line.running import PROMPT, sign_in_settings, sss
from tests.simulator_process import SimulatorProcess

JONAS = "jonas.weber@contoso.example"


@pytest.fixture
def entra(simulator: SimulatorProcess, settings: Any, database_url: str) -> SimulatorProcess:
    """The simulated identity provider as it is on the first day; the portal is one of production."""
    simulator.reset()
    for name, value in sign_in_settings(simulator.addresses).items():
        setattr(settings, name, value)
    Installation.objects.update(mode="production")
    return simulator


def test_the_first_admin_is_whoever_the_identity_provider_says(entra: SimulatorProcess) -> None:
    ended = sss("who-am-i", "--json", username="tom.okafor@contoso.example")

    assert ended.code == 0
    assert ended.json["username"] == "tom.okafor@contoso.example"
    assert {row["role"] for row in ended.json["roles"]} == {"admin"}
    assert {row["source"] for row in ended.json["roles"]} == {"sign-in"}
    person = Person.objects.get()
    assert person.issuer == f"{entra.addresses['entra']}/{entra.addresses['tenant_id']}/v2.0"
    assert person.subject
    entry = Entry.objects.get(event="person.signed_in")
    assert (entry.actor, entry.via) == (person, "command")


def test_an_approver_approves_in_production(entra: SimulatorProcess, waiting: Job) -> None:
    assert waiting.plan is not None

    ended = sss(
        *("approve", "J-1", "--digest", waiting.plan.digest, "--sent", sending_of(waiting)),
        *("--proof", "7E42", "--json"),
        username=JONAS,
    )

    assert ended.code == 0
    assert ended.json["decisions"][0]["approver"] == JONAS
    assert f"Signed in as Jonas Weber ({JONAS})." in ended.err
    assert Approval.objects.get().approver.subject


def test_somebody_without_the_role_does_not(entra: SimulatorProcess, waiting: Job) -> None:
    assert waiting.plan is not None

    ended = sss(
        *("approve", "J-1", "--digest", waiting.plan.digest, "--sent", sending_of(waiting)),
        *("--proof", "7E42", "--json"),
        username="mira.patel@contoso.example",
    )

    assert (ended.code, ended.json["error"]["code"]) == (3, "SSS-ROLE")
    assert not Approval.objects.exists()


def test_every_command_asks_anew(entra: SimulatorProcess) -> None:
    first = sss("who-am-i", username=JONAS)
    second = sss("who-am-i", username="vera.lang@contoso.example")

    codes = [PROMPT.search(ended.err) for ended in (first, second)]
    assert all(codes)
    assert first.err != second.err
    assert second.out.startswith("Vera Lang")


def test_a_declined_sign_in_does_nothing(entra: SimulatorProcess) -> None:
    ended = sss("who-am-i", "--json", decline="1")

    assert (ended.code, ended.json["error"]["code"]) == (3, "SSS-SIGN-IN")
    assert "declined" in ended.json["error"]["message"]
    assert not Person.objects.exists()


def test_a_disabled_person_is_refused_as_on_the_pages(entra: SimulatorProcess) -> None:
    sss("who-am-i", username=JONAS)
    Person.objects.update(is_active=False)
    RoleGrant.objects.all().delete()

    ended = sss("who-am-i", "--json", username=JONAS)

    assert (ended.code, ended.json["error"]["message"]) == (
        *(3, "This account is disabled in the portal."),
    )
    assert not RoleGrant.objects.exists()


def test_an_app_without_public_flows_is_named_with_its_fix(entra: SimulatorProcess) -> None:
    app = entra.addresses["sign_in_app"]["client_id"]
    entra.set_world(f"tenants/0/applications/{app}/allows_public_flows", False)

    ended = sss("who-am-i", "--json", username=JONAS)

    assert (ended.code, ended.json["error"]["code"]) == (3, "SSS-SIGN-IN")
    assert "public client flows" in ended.json["error"]["fix"][0]


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("/token", "expired_token", "Nobody signed in with the code in time."),
        ("/token", "invalid_grant", "refused"),
        ("/devicecode", "invalid_request", "refused"),
    ],
)
def test_a_sign_in_that_comes_to_nothing_is_said(
    entra: SimulatorProcess, address: str, error: str, words: str
) -> None:
    body = json.dumps({"error": error})
    entra.add_dial(where="entra", match=address, fault="status", status=400, body=body)

    with pytest.raises(NotAllowed, match=words):
        identify(lambda code: None)


def test_the_identity_provider_away_is_said(entra: SimulatorProcess) -> None:
    entra.add_dial(where="entra", fault="refused", times=-1)

    ended = sss("who-am-i", "--json", username=JONAS)

    assert (ended.code, ended.json["error"]["code"]) == (5, "SSS-SIGN-IN-AWAY")


def test_it_goes_away_while_somebody_signs_in(entra: SimulatorProcess) -> None:
    def tell(code: DeviceCode) -> None:
        entra.add_dial(where="entra", match="/token", fault="garbled", times=1)

    with pytest.raises(Exception, match="does not answer"):
        identify(tell)
