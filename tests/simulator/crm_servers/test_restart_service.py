from __future__ import annotations

from typing import Any

import pytest

from simulator.ledger import instant
from tests.simulator.crm_servers.conftest import ASYNC, TOOLS, Crm, change
from tests.waiting import wait_until

RESTART = "Restart-SssService"


@pytest.fixture(autouse=True)
def _quick(crm: Crm) -> None:
    crm.dials.add({"set": "winrm/restart_seconds", "value": 0.02})
    crm.dials.add({"set": "winrm/hang_seconds", "value": 0.02})


def restart(service: str = "Async", before: str = "", **own: Any) -> dict[str, Any]:
    return change(Service=service, OnlyIfStartedBeforeUtc=before or instant(), **own)


@pytest.mark.parametrize(
    ("server", "service", "name"),
    [
        (ASYNC, "Async", "MSCRMAsyncService"),
        (ASYNC, "AsyncMaintenance", "MSCRMAsyncService$maintenance"),
        (TOOLS, "WebApplicationPool", "CRMAppPool"),
    ],
)
def test_a_service_starts_again_and_reads_its_settings(
    crm: Crm, server: str, service: str, name: str
) -> None:
    crm.deployment.organizations[0].tenant_id = "11111111-2222-3333-4444-555555555555"
    before = instant()

    result = crm.session(server).result(RESTART, **restart(service, before))

    assert (result["Changed"], result["After"]["Name"]) == (True, name)
    assert result["After"]["State"] == "Running"
    assert result["After"]["StartedAtUtc"] >= before > result["Before"]["StartedAtUtc"]
    assert result["After"]["ProcessId"] != result["Before"]["ProcessId"]
    running = crm.deployment.server(server).running(service)
    assert running is not None
    assert running.loaded == crm.deployment.snapshot()
    assert crm.effects() == ["service.restart"]


def test_a_later_start_settles_the_restart(crm: Crm) -> None:
    session, before = crm.session(ASYNC), instant()
    session.result(RESTART, **restart(before=before))

    again = session.result(RESTART, **restart(before=before))

    assert again["Changed"] is False
    assert again["Before"] == again["After"]
    assert crm.effects() == ["service.restart"]


def test_a_stopped_service_is_started_whatever_its_last_start(crm: Crm) -> None:
    crm.deployment.server(ASYNC).services[0].state = "Stopped"

    result = crm.session(ASYNC).result(RESTART, **restart(before="2020-01-01T00:00:00.000Z"))

    assert result["Before"]["State"] == "Stopped"
    assert result["Before"]["StartedAtUtc"] is None
    assert result["After"]["State"] == "Running"


def test_a_service_that_is_not_here_or_disabled_is_missing(crm: Crm) -> None:
    assert crm.session(TOOLS).refusal(RESTART, **restart()) == "ServiceMissing"
    crm.deployment.server(ASYNC).services[1].start_mode = "Disabled"
    given = restart("AsyncMaintenance")
    assert crm.session(ASYNC).refusal(RESTART, **given) == "ServiceMissing"


def test_a_service_that_hangs_in_stopping_is_not_killed(crm: Crm) -> None:
    dial = {"where": f"winrm:{ASYNC}", "fault": "contract", "name": "hangs_in_stopping"}
    crm.dials.add({**dial, "match": RESTART})
    session, given = crm.session(ASYNC), restart()

    error = session.call(RESTART, **given)["Error"]
    seen = session.result("Get-SssServer")["Server"]["Services"][0]
    operation = session.result("Get-SssOperation", OperationId=given["OperationId"])
    later = session.result(RESTART, **given)

    assert (error["Code"], error["Changed"]) == ("ServiceTimeout", "Unknown")
    assert seen["State"] == "StopPending"
    assert (operation["State"], operation["Error"]) == ("Failed", error)
    assert (later["Before"]["State"], later["After"]["State"]) == ("StopPending", "Running")


@pytest.mark.parametrize(
    ("own", "error"),
    [
        ({"TimeoutSeconds": 29}, "ParameterArgumentValidationError"),
        ({"OnlyIfStartedBeforeUtc": "2026-11-23T08:15:00Z"}, "ParameterArgumentValidationError"),
        ({"Service": "async"}, "ParameterArgumentValidationError"),
    ],
)
def test_what_does_not_bind(crm: Crm, own: dict[str, Any], error: str) -> None:
    assert crm.session(ASYNC).error(RESTART, **(restart() | own)).fq_error == f"{error},{RESTART}"


def test_an_instant_that_does_not_exist_is_refused(crm: Crm) -> None:
    given = restart(before="2026-13-45T99:99:99.000Z")

    assert crm.session(ASYNC).refusal(RESTART, **given) == "BadParameter"


def test_a_restart_that_is_stopped_half_way_leaves_the_service_stopped(crm: Crm) -> None:
    crm.dials.add({"set": "winrm/restart_seconds", "value": 60.0})
    given = restart()
    running = crm.session(ASYNC).start(RESTART, **given)
    running.begin_invoke()
    other = crm.open(ASYNC)

    def service() -> str:
        return str(other.result("Get-SssServer")["Server"]["Services"][0]["State"])

    wait_until(lambda: service() == "StopPending")
    running.stop()
    wait_until(lambda: service() == "Stopped")

    operation = other.result("Get-SssOperation", OperationId=given["OperationId"])
    assert (operation["State"], operation["Error"]["Changed"]) == ("Failed", "Unknown")
    assert crm.effects() == ["service.restart"]
