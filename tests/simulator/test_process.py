"""The process: start, second start, stop, kill, control API."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import urllib.parse
from pathlib import Path

import pytest

from tests.simulator.clients import CRM_APP_ID, PRINCIPAL, SALES, Clients
from tests.simulator_process import SimulatorProcess


def free_base() -> int:
    """A row of twenty ports that nobody uses right now."""
    for base in range(20000, 32000, 40):
        with socket.socket() as probe:
            try:
                for offset in (*range(7), 10, 11):
                    with socket.socket() as one:
                        one.bind(("127.0.0.1", base + offset))
                probe.bind(("127.0.0.1", base + 19))
            except OSError:
                continue
        return base
    raise RuntimeError("no free ports")


def test_a_second_start_keeps_world_addresses_and_secrets(tmp_path: Path) -> None:
    base = str(free_base())
    first = SimulatorProcess(tmp_path, "--port", base)
    clients = Clients(first)
    clients.graph().patch({"servicePrincipalNames": [CRM_APP_ID]})
    profile = clients.crm().create_profile(name="Kept")
    clients.close()
    addresses = first.addresses
    first.stop()

    second = SimulatorProcess(tmp_path, "--port", base)
    try:
        again = Clients(second)
        assert second.addresses == addresses
        assert again.graph().principal()["servicePrincipalNames"] == [CRM_APP_ID]
        assert again.crm().get(f"emailserverprofiles({profile})").json()["name"] == "Kept"
        assert [e["seq"] for e in second.ledger()] == [1, 2]
        again.crm().create_profile(name="Next")
        assert second.ledger()[-1]["seq"] == 3
        again.close()
    finally:
        second.stop()


def test_a_kill_loses_no_line_of_the_ledger(tmp_path: Path) -> None:
    first = SimulatorProcess(tmp_path)
    clients = Clients(first)
    clients.graph().patch({"servicePrincipalNames": [CRM_APP_ID]})
    clients.close()
    first.kill()

    second = SimulatorProcess(tmp_path)
    try:
        assert [e["after"] for e in second.ledger()] == [[CRM_APP_ID]]
    finally:
        second.stop()


def test_reset_at_start_forgets(tmp_path: Path) -> None:
    first = SimulatorProcess(tmp_path)
    first.set_world(f"{PRINCIPAL}/names", [])
    first.stop()

    second = SimulatorProcess(tmp_path, "--reset", "--seed", "7")
    try:
        assert len(second.world("tenants", 0, "principals", 0, "names")) == 3
        assert second.world("seed") == 7
    finally:
        second.stop()


def test_without_the_flag_there_is_no_control_api(tmp_path: Path) -> None:
    process = SimulatorProcess(tmp_path, has_control=False)
    try:
        assert "control" not in process.addresses
    finally:
        process.stop()


def test_files_with_secrets_are_for_the_owner_alone(sim: SimulatorProcess) -> None:
    for name in ("addresses.json", "world.json", "pki/secrets", "pki/server-key.pem"):
        mode = stat.S_IMODE((sim.state_dir / name).stat().st_mode)
        assert mode == 0o600, name


def test_the_addresses_hold_what_a_starter_needs(sim: SimulatorProcess) -> None:
    at = sim.addresses

    for name in ("entra", "graph", "adfs2019", "adfs2016", "crm"):
        assert at[name].startswith("https://localhost:")
    assert at["authorize"].startswith("http://localhost:")
    assert [server["name"] for server in at["servers"]] == ["CRM-APP01", "CRM-APP02"]
    assert len(at["people"]) == 7
    assert Path(at["ca"]).read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE")
    assert at["setup_app"]["client_secret"]


def test_the_world_can_be_looked_at_and_arranged(sim: SimulatorProcess) -> None:
    sim.set_world("deployment/servers/CRM-APP02/clock_offset_s", 90)
    sim.set_world("tenants/0/exchange/ews_enabled", None)
    sim.remove_from_world("tenants/0/skus/CRM_HYBRIDCONNECTOR")

    assert sim.world("deployment", "servers", 1, "clock_offset_s") == 90.0
    assert sim.world("tenants", 0, "exchange", "ews_enabled") is None
    assert [sku["part_number"] for sku in sim.world("tenants", 0, "skus")] == ["SPE_E3"]
    assert "databases" in sim.world()
    assert sim.ledger() == []


@pytest.mark.parametrize(
    ("path", "value", "status"),
    [
        ("nothing/here", 1, 404),
        ("deployment/servers/CRM-APP09/clock_offset_s", 1, 404),
        ("deployment/servers/CRM-APP02/clock_offset_s", "much", 400),
        ("deployment/servers/CRM-APP02/bogus", 1, 404),
        ("deployment/servers/-", {"name": "CRM-APP03"}, 400),
    ],
)
def test_an_arrangement_that_does_not_fit_is_refused(
    sim: SimulatorProcess, path: str, value: object, status: int
) -> None:
    with pytest.raises(ValueError, match=str(status)):
        sim.set_world(path, value)


@pytest.mark.parametrize(
    "dial",
    [
        {"where": "graph"},
        {"where": "graph", "fault": "bogus"},
        {"where": "graph", "fault": "status", "match": "("},
        {"where": "graph", "fault": "status", "times": "x"},
        {"set": "crm/test_seconds"},
    ],
)
def test_a_dial_that_cannot_be_understood_is_refused(
    sim: SimulatorProcess, dial: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="400"):
        sim.add_dial(**dial)


def test_reset_clears_world_ledger_calls_and_dials(clients: Clients) -> None:
    sim = clients.sim
    clients.graph().patch({"servicePrincipalNames": [CRM_APP_ID]})
    profile = clients.crm().create_profile()
    sim.add_dial(where="graph", fault="status", status=500)

    sim.reset()

    assert sim.ledger() == []
    assert {call["system"] for call in sim.calls()} <= {"control"}
    assert len(sim.world("tenants", 0, "principals", 0, "names")) == 3
    assert clients.graph().get("/organization").status_code == 200
    assert clients.crm().get(f"emailserverprofiles({profile})").status_code == 404


def test_unknown_control_paths_are_not_found(sim: SimulatorProcess) -> None:
    answer = sim.session.get(f"{sim.addresses['control']}/nothing", timeout=5)

    assert answer.status_code == 404


def test_calls_hold_no_secret(clients: Clients) -> None:
    clients.token()
    clients.crm().get("WhoAmI")

    text = json.dumps(clients.sim.calls())

    assert clients.at["setup_app"]["client_secret"] not in text
    assert clients.at["crm_user"]["password"] not in text


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Transfer-Encoding", "chunked", 411), ("Content-Length", "70000000", 413)],
)
def test_a_body_that_is_too_large_or_has_no_length_is_refused(
    sim: SimulatorProcess, header: str, value: str, status: int
) -> None:
    where = urllib.parse.urlsplit(sim.addresses["authorize"])
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    connection.putrequest("POST", "/")
    connection.putheader(header, value)
    connection.endheaders()

    assert connection.getresponse().status == status
    connection.close()


def test_the_organizations_are_separate(clients: Clients) -> None:
    clients.crm(SALES).create_profile(name="Only here")

    rows = clients.crm("ContosoService").rows("emailserverprofiles?$select=name")

    assert "Only here" not in [row["name"] for row in rows]
