from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any

import pytest
from pypsrp.exceptions import WinRMError, WinRMTransportError, WSManFaultError
from requests.exceptions import ConnectionError, ReadTimeout

from simulator.crm_servers.default_deployment import SALES_ID
from tests.simulator.crm_servers.conftest import ASYNC, TOOLS, Crm, change
from tests.waiting import wait_until

TENANT = "Set-SssOrganizationTenant"
TENANT_ID = "2b7c1d3e-4f50-4a61-8b72-9c83ad94be05"


def tenant() -> dict[str, Any]:
    own = {"OrganizationId": SALES_ID, "UniqueName": "ContosoSales", "ExpectTenantId": ""}
    return change(TenantId=TENANT_ID, **own)


def turn(crm: Crm, fault: str, match: str = TENANT, **more: Any) -> None:
    crm.dials.add({"where": f"winrm:{TOOLS}", "fault": fault, "match": match, **more})


def is_set(crm: Crm) -> bool:
    with crm.world.lock:
        return crm.deployment.organizations[0].tenant_id == TENANT_ID


def test_latency_only_takes_time(crm: Crm) -> None:
    turn(crm, "latency", seconds=0.2)
    started = time.monotonic()

    assert crm.session().result(TENANT, **tenant())["Changed"] is True
    assert time.monotonic() - started >= 0.2


def test_a_status_is_answered_without_effect(crm: Crm) -> None:
    turn(crm, "status", status=503)

    with pytest.raises(WinRMTransportError) as refused:
        crm.open().call(TENANT, **tenant())

    assert refused.value.code == 503
    assert not is_set(crm)


def test_a_web_page_instead_of_an_answer(crm: Crm) -> None:
    turn(crm, "html", status=502)

    # pypsrp takes a page that is well-formed XML for a fault without details.
    with pytest.raises(WSManFaultError) as refused:
        crm.open().call(TENANT, **tenant())

    assert refused.value.code is None
    assert not is_set(crm)


def state_of(crm: Crm, given: dict[str, Any]) -> str:
    result = crm.session().result("Get-SssOperation", OperationId=given["OperationId"])
    return str(result["State"])


def test_a_time_out_before_the_effect(crm: Crm) -> None:
    turn(crm, "timeout_before")
    session, given = crm.open(operation_timeout=1, read_timeout=2), tenant()

    with pytest.raises(ReadTimeout):
        session.call(TENANT, **given)

    assert (is_set(crm), state_of(crm, given)) == (False, "Unknown")
    assert crm.session().result(TENANT, **given)["Replayed"] is False


def test_a_time_out_after_the_effect(crm: Crm) -> None:
    turn(crm, "timeout_after")
    given, heard = tenant(), threading.Event()
    shell = crm.open().start(TENANT, **given)
    shell.begin_invoke()

    def listen() -> None:
        with contextlib.suppress(ConnectionError):
            shell.end_invoke()
            heard.set()

    listener = threading.Thread(target=listen)
    listener.start()
    wait_until(lambda: state_of(crm, given) == "Done")

    assert is_set(crm)
    assert not heard.wait(0.5)
    assert crm.session().result(TENANT, **given)["Replayed"] is True
    crm.stop()
    listener.join()
    assert not heard.is_set()


@pytest.mark.parametrize("after", [False, True])
def test_a_dropped_connection_before_or_after_the_effect(crm: Crm, after: bool) -> None:
    turn(crm, "drop", after=after)

    with pytest.raises(ConnectionError):
        crm.open().call(TENANT, **tenant())

    assert is_set(crm) is after


def test_a_silent_failure_says_done_and_does_nothing(crm: Crm) -> None:
    turn(crm, "silent")
    given = tenant()

    result = crm.session().result(TENANT, **given)

    assert (result["Changed"], result["After"]["S2STenantId"]) == (True, TENANT_ID)
    assert not is_set(crm)
    assert crm.ledger.entries() == []
    done = crm.session().result("Get-SssOperation", OperationId=given["OperationId"])
    assert done["State"] == "Done"


def test_a_stale_read_shows_what_was_true_before(crm: Crm) -> None:
    crm.session().result(TENANT, **tenant())
    turn(crm, "stale", "Get-SssDeployment", seconds=60)

    def tenant_id() -> Any:
        deployment = crm.session().result("Get-SssDeployment", OrganizationId=SALES_ID)
        return deployment["Deployment"]["Organizations"][0]["S2STenantId"]

    assert tenant_id() is None
    assert tenant_id() == TENANT_ID


@pytest.mark.parametrize("fault", ["garbled", "truncated"])
def test_an_answer_that_cannot_be_read_hides_an_effect(crm: Crm, fault: str) -> None:
    turn(crm, fault)

    text = crm.session().output(TENANT, **tenant())

    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    assert is_set(crm)


def test_a_slow_answer_arrives_whole(crm: Crm) -> None:
    turn(crm, "slow_body", seconds=0.3)
    started = time.monotonic()

    assert crm.session().result(TENANT, **tenant())["Changed"] is True
    assert time.monotonic() - started >= 0.3


def test_nothing_listens_while_connections_are_refused(crm: Crm) -> None:
    port = crm.servers[TOOLS].port
    crm.session().result("Get-SssServer")
    dial = crm.dials.add({"where": f"winrm:{TOOLS}", "fault": "refused"})

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    assert crm.session(ASYNC).result("Get-SssServer")["Server"]

    crm.dials.remove(dial)
    assert crm.open().result("Get-SssServer")["Server"]
    assert crm.servers[TOOLS].port == port


def test_after_a_cut_session_its_shell_is_gone(crm: Crm) -> None:
    crm.dials.add(
        {"where": f"winrm:{TOOLS}", "fault": "contract", "name": "session_cut", "match": TENANT}
    )
    session = crm.open()

    with pytest.raises(ConnectionError):
        session.call(TENANT, **tenant())
    with pytest.raises(WSManFaultError) as gone:
        session.call("Get-SssServer")

    assert "shell was not found" in gone.value.reason


def test_faults_strike_their_own_server_alone(crm: Crm) -> None:
    turn(crm, "status", "Get-SssServer", status=500, times=-1)

    assert crm.session(ASYNC).result("Get-SssServer")["Server"]
    with pytest.raises(WinRMError):
        crm.open().call("Get-SssServer")


def test_every_command_is_in_the_list_of_calls(crm: Crm) -> None:
    turn(crm, "latency", "Get-SssServer", seconds=0.01)
    crm.session().start("Get-Command").invoke()
    crm.session().result("Get-SssServer")

    calls = [
        (c["system"], c["method"], c["path"], c["fault"], c["status"]) for c in crm.calls.to_json()
    ]
    assert calls == [
        (f"winrm:{TOOLS}", "INVOKE", "Get-Command", None, 200),
        (f"winrm:{TOOLS}", "INVOKE", "Get-SssServer", "latency", 200),
    ]


def test_a_dial_that_does_not_exist_is_told(crm: Crm) -> None:
    turn(crm, "contract", "Get-SssServer", name="no_such_dial")

    with pytest.raises(WSManFaultError) as failed:
        crm.open().call("Get-SssServer")

    assert "simulator failed" in failed.value.reason


def test_a_closed_pipeline_is_forgotten(crm: Crm) -> None:
    session = crm.session()
    for _ in range(3):
        shell = session.start("Get-SssServer")
        shell.invoke()
        shell.close()

    (kept,) = crm.servers[TOOLS].machine.shells.values()
    assert kept.pipelines == {}
