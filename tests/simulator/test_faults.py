"""Faults by dial, as a client meets them on the wire."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests
from msal.exceptions import MsalServiceError

from tests.simulator.clients import CRM_APP_ID, Clients
from tests.simulator_process import SimulatorProcess

NAMES = {"servicePrincipalNames": [CRM_APP_ID]}


def has_happened(clients: Clients) -> bool:
    return bool(clients.sim.ledger())


def test_latency_takes_time_and_changes_nothing_else(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", fault="latency", seconds=0.4)
    started = time.monotonic()

    assert graph.patch(NAMES).status_code == 204
    assert time.monotonic() - started >= 0.4
    assert has_happened(clients)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503, 504])
def test_a_status_comes_in_the_systems_own_shape(clients: Clients, status: int) -> None:
    graph, crm = clients.graph(), clients.crm()
    clients.sim.add_dial(where="graph", fault="status", status=status, retry_after=3)
    clients.sim.add_dial(where="crm", fault="status", status=status)

    by_graph = graph.patch(NAMES)
    by_crm = requests.get(f"{crm.root}/WhoAmI", verify=clients.at["ca"], timeout=10)

    assert (by_graph.status_code, by_crm.status_code) == (status, status)
    assert set(by_graph.json()["error"]) == {"code", "message", "innerError"}
    assert by_graph.headers["Retry-After"] == "3"
    assert set(by_crm.json()["error"]) == {"code", "message"}
    assert not has_happened(clients)


def test_a_status_may_bring_its_own_words(clients: Clients) -> None:
    graph = clients.graph()
    text = "Credential type not allowed as per assigned policy"
    code = "CredentialTypeNotAllowedAsPerAppPolicy"
    clients.sim.add_dial(where="graph", fault="status", status=400, code=code, message=text)
    clients.sim.add_dial(where="graph", fault="status", status=502, body="Bad gateway")

    first, second = graph.patch(NAMES), graph.patch(NAMES)

    assert (first.json()["error"]["code"], first.json()["error"]["message"]) == (code, text)
    assert (second.status_code, second.text) == (502, "Bad gateway")


def test_a_time_out_before_the_effect(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", match="^PATCH", fault="timeout_before")

    with pytest.raises(requests.ReadTimeout):
        graph.patch(NAMES, timeout=0.5)

    assert not has_happened(clients)


def test_a_time_out_after_the_effect(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", match="^PATCH", fault="timeout_after")

    with pytest.raises(requests.ReadTimeout):
        graph.patch(NAMES, timeout=0.5)

    assert has_happened(clients)
    assert graph.principal()["servicePrincipalNames"] == [CRM_APP_ID]


@pytest.mark.parametrize("after", [False, True])
def test_a_dropped_connection(clients: Clients, after: bool) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", match="^PATCH", fault="drop", after=after)

    with pytest.raises(requests.ConnectionError):
        graph.patch(NAMES)

    assert has_happened(clients) is after


def test_a_garbled_answer(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", fault="garbled")

    answer = graph.get("/organization")

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_truncated_answer(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", fault="truncated")

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        graph.get("/organization")


def test_a_web_page_instead_of_data(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", match="^PATCH", fault="html")

    answer = graph.patch(NAMES)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert not has_happened(clients)


def test_a_slow_body(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", fault="slow_body", seconds=0.6)
    started = time.monotonic()

    assert graph.get("/organization").status_code == 200
    assert time.monotonic() - started >= 0.5


def test_nobody_listens_while_refused(clients: Clients) -> None:
    graph = clients.graph()
    graph.get("/organization")
    dial = clients.sim.add_dial(where="graph", fault="refused")
    try:
        with pytest.raises(requests.ConnectionError):
            graph.get("/organization")
        with pytest.raises(requests.ConnectionError, match="refused"):
            clients.http().get(f"{graph.root}/organization", timeout=5)
    finally:
        clients.sim.remove_dial(dial)

    assert graph.get("/organization").status_code == 200


def test_a_dial_skips_then_strikes_then_passes(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(where="graph", fault="status", status=503, skip=1, times=2)

    found = [graph.get("/organization").status_code for _ in range(4)]

    assert found == [200, 503, 503, 200]


def test_a_dial_strikes_what_it_matches_only(clients: Clients) -> None:
    graph = clients.graph()
    clients.sim.add_dial(
        where="g*", match=r"^GET .*subscribedSkus", fault="status", status=503, times=-1
    )

    assert graph.get("/organization").status_code == 200
    assert {graph.get("/subscribedSkus").status_code for _ in range(3)} == {503}


def test_entra_and_ad_fs_can_fail_too(clients: Clients) -> None:
    clients.sim.add_dial(where="entra", match="token$", fault="status", status=503)
    clients.sim.add_dial(where="adfs2019", fault="status", status=503)

    with pytest.raises(MsalServiceError, match="503"):
        clients.token()
    address = f"{clients.at['adfs2019']}/adfs/.well-known/openid-configuration"

    assert clients.http().get(address, timeout=5).status_code == 503


def test_dials_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "dials.json"
    file.write_text(
        '[{"where": "entra", "fault": "status", "status": 500, "times": -1},'
        ' {"set": "crm/test_seconds", "value": 0.1}]',
        encoding="utf-8",
    )
    process = SimulatorProcess(tmp_path / "state", "--dials", str(file))
    try:
        clients = Clients(process)
        with pytest.raises(MsalServiceError, match="500"):
            clients.token()
        process.reset()
        with pytest.raises(MsalServiceError, match="500"):
            clients.token()
        clients.close()
    finally:
        process.stop()
