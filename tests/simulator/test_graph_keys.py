"""PATCH of the CRM principal: the collection is replaced, by Microsoft's rules."""

from __future__ import annotations

import base64
import datetime as dt
import time
from typing import Any

import pytest

from simulator.pki import Issued, Pki
from tests.simulator.clients import CRM_APP_ID, TENANT, Clients

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """A new certificate, as a renewal brings one."""
    pki = Pki.load_or_create(tmp_path_factory.mktemp("pki"))
    start, end = NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=300)
    return pki.issue("crm-s2s-2026.contoso.example", start, end)


def entry(issued: Issued, **more: Any) -> dict[str, Any]:
    """A new credential for a certificate."""
    certificate = issued.certificate
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": base64.b64encode(issued.der).decode(),
        "displayName": "CN=crm-s2s-2026.contoso.example",
        "startDateTime": certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
        "endDateTime": certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        **more,
    }


def kept(keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Existing credentials as Microsoft's script sends them back."""
    return [{n: v for n, v in k.items() if n not in ("key", "displayName")} for k in keys]


def test_a_key_is_added_and_the_others_stay(clients: Clients, issued: Issued) -> None:
    graph = clients.graph()
    old = graph.principal()["keyCredentials"]

    answer = graph.patch({"keyCredentials": [*kept(old), entry(issued)]})

    assert answer.status_code == 204
    new = graph.principal()["keyCredentials"]
    assert new[:2] == old
    assert new[2]["key"] == base64.b64encode(issued.der).decode()
    assert new[2]["customKeyIdentifier"] == issued.thumbprint_sha1
    assert new[2]["keyId"]


def test_the_ledger_tells_the_effect_once(clients: Clients, issued: Issued) -> None:
    graph = clients.graph()
    old = graph.principal()["keyCredentials"]
    graph.patch(
        {"keyCredentials": [*kept(old), entry(issued)]}, headers={"client-request-id": "mine"}
    )

    graph.patch({"keyCredentials": kept(graph.principal()["keyCredentials"])})

    (effect,) = clients.sim.ledger()
    assert effect["effect"] == "servicePrincipal.keyCredentials"
    assert effect["caller"] == "SSS Portal setup"
    assert effect["client_request_id"] == "mine"
    assert len(effect["before"]) == 2
    assert effect["after"][2]["thumbprint"] == issued.thumbprint_sha1
    assert "key" not in effect["after"][2]


def test_what_is_left_out_is_removed(clients: Clients) -> None:
    graph = clients.graph()
    old = graph.principal()["keyCredentials"]

    graph.patch({"keyCredentials": kept(old[1:])})

    assert [k["keyId"] for k in graph.principal()["keyCredentials"]] == [old[1]["keyId"]]


def test_the_bytes_alone_stand_for_the_stored_credential(clients: Clients, issued: Issued) -> None:
    graph = clients.graph()
    old = graph.principal()["keyCredentials"]
    bare = [{n: k[n] for n in ("key", "type", "usage")} for k in old]

    answer = graph.patch({"keyCredentials": [*bare, entry(issued)]})

    assert answer.status_code == 204
    assert graph.principal()["keyCredentials"][:2] == old


def test_a_rerun_of_the_script_adds_the_certificate_again(clients: Clients, issued: Issued) -> None:
    graph = clients.graph()
    for _ in range(2):
        old = graph.principal()["keyCredentials"]
        graph.patch({"keyCredentials": [*kept(old), entry(issued)]})

    keys = graph.principal()["keyCredentials"]

    assert len(keys) == 4
    assert keys[2]["keyId"] != keys[3]["keyId"]


@pytest.mark.parametrize("name", ["displayName", "key", "customKeyIdentifier"])
def test_an_existing_credential_cannot_be_changed(
    clients: Clients, issued: Issued, name: str
) -> None:
    graph = clients.graph()
    old = graph.principal()["keyCredentials"]
    sent = kept(old)
    sent[0][name] = base64.b64encode(issued.der).decode()

    answer = graph.patch({"keyCredentials": sent})

    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert f"Update to existing credential with KeyId '{old[0]['keyId']}'" in message
    assert graph.principal()["keyCredentials"] == old
    assert clients.sim.ledger() == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"type": "Symmetric"}, "KeyCredentialsInvalidTypeOrUsage"),
        ({"usage": "Sign"}, "KeyCredentialsInvalidTypeOrUsage"),
        ({"key": None}, "KeyCredentialsInvalidKeyMissing"),
        ({"key": "AAAA"}, "Request_BadRequest"),
        ({"endDateTime": "2040-01-01T00:00:00Z"}, "KeyCredentialsInvalidEndDate"),
        ({"startDateTime": "2020-01-01T00:00:00Z"}, "KeyCredentialsInvalidStartDate"),
        ({"endDateTime": "soon"}, "Request_BadRequest"),
        ({"keyId": "no-guid"}, "Request_BadRequest"),
        ({"bogus": 1}, "BadRequest"),
    ],
)
def test_a_bad_new_credential_is_refused(
    clients: Clients, issued: Issued, more: dict[str, Any], code: str
) -> None:
    graph = clients.graph()
    old = graph.principal()["keyCredentials"]

    answer = graph.patch({"keyCredentials": [*kept(old), entry(issued, **more)]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert clients.sim.ledger() == []


def test_a_new_credential_without_dates_takes_those_of_the_certificate(
    clients: Clients, issued: Issued
) -> None:
    graph = clients.graph()
    bare = entry(issued, startDateTime=None, endDateTime=None)

    graph.patch({"keyCredentials": [*kept(graph.principal()["keyCredentials"]), bare]})

    end = issued.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert graph.principal()["keyCredentials"][2]["endDateTime"] == end


def test_principal_names_are_replaced_as_a_whole(clients: Clients) -> None:
    graph = clients.graph()
    names = graph.principal()["servicePrincipalNames"]

    answer = graph.patch({"servicePrincipalNames": [*names, CRM_APP_ID]})

    assert answer.status_code == 204
    assert graph.principal()["servicePrincipalNames"] == [*names, CRM_APP_ID]
    assert [e["effect"] for e in clients.sim.ledger()] == ["servicePrincipal.servicePrincipalNames"]


@pytest.mark.parametrize(
    "body",
    [
        {"servicePrincipalNames": ["a", "a"]},
        {"servicePrincipalNames": ["a", ""]},
        {"servicePrincipalNames": "a"},
        {"servicePrincipalNames": [1]},
        {"appId": "11111111-2222-3333-4444-555555555555"},
        {"passwordCredentials": []},
        {"bogus": 1},
    ],
)
def test_a_bad_body_is_refused(clients: Clients, body: dict[str, Any]) -> None:
    graph = clients.graph()

    assert graph.patch(body).status_code == 400
    assert clients.sim.ledger() == []


def test_writing_needs_the_write_permission(clients: Clients) -> None:
    application = f"{TENANT}/applications/1a7b3d2c-5e94-4f8b-a2d6-84c6f9b71e22"
    clients.sim.set_world(f"{application}/permissions", ["Application.Read.All"])
    graph = clients.graph()

    answer = graph.patch({"servicePrincipalNames": [CRM_APP_ID]})

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Authorization_RequestDenied"


def test_a_read_after_a_write_may_be_stale(clients: Clients) -> None:
    clients.sim.set_dial("graph/stale_seconds", 0.6)
    graph = clients.graph()
    names = graph.principal()["servicePrincipalNames"]

    graph.patch({"servicePrincipalNames": [*names, CRM_APP_ID]})

    seen = [len(graph.principal()["servicePrincipalNames"])]
    deadline = time.monotonic() + 10
    while seen[-1] == 3 and time.monotonic() < deadline:
        seen.append(len(graph.principal()["servicePrincipalNames"]))
    assert seen[0] == 3
    assert seen[-1] == 4


def test_a_silent_failure_says_done_and_does_nothing(clients: Clients) -> None:
    clients.sim.add_dial(where="graph", match="^PATCH", fault="silent")
    graph = clients.graph()

    assert graph.patch({"servicePrincipalNames": [CRM_APP_ID]}).status_code == 204
    assert len(graph.principal()["servicePrincipalNames"]) == 3
    assert clients.sim.ledger() == []
