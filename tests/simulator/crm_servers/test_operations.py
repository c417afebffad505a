from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from requests.exceptions import ConnectionError

from simulator.crm_servers.default_deployment import SALES_ID
from simulator.deployment import Deployment, Operation
from simulator.json_state import from_json, to_json
from simulator.ledger import instant
from tests.simulator.crm_servers.conftest import ASYNC, TOOLS, Crm, change
from tests.waiting import wait_until

TENANT, RESTART, CLEAR = "Set-SssOrganizationTenant", "Restart-SssService", "Clear-SssTransferFile"
TENANT_ID = "2b7c1d3e-4f50-4a61-8b72-9c83ad94be05"
OTHER_ID = "3b7c1d3e-4f50-4a61-8b72-9c83ad94be05"


def tenant(**own: Any) -> dict[str, Any]:
    given = {
        "OrganizationId": SALES_ID,
        "UniqueName": "ContosoSales",
        "TenantId": TENANT_ID,
        "ExpectTenantId": "",
    }
    return change(**(given | own))


def state(crm: Crm, operation_id: str, server: str = TOOLS) -> str:
    result = crm.open(server).result("Get-SssOperation", OperationId=operation_id)
    return str(result["State"])


def test_the_same_operation_again_gets_the_stored_result_and_does_nothing(crm: Crm) -> None:
    session, given = crm.session(), tenant()
    first = session.result(TENANT, **given)
    crm.deployment.organizations[0].tenant_id = OTHER_ID

    # A later claim repeats the call under a higher fence; that is no other call.
    again = session.result(TENANT, **(given | {"Fence": 9, "Job": "J-4712"}))

    assert again == first | {"Replayed": True}
    assert crm.deployment.organizations[0].tenant_id == OTHER_ID
    assert crm.effects() == ["organization.s2sTenantId"]


def test_a_replay_survives_a_restart_of_the_server(crm: Crm) -> None:
    given = tenant()
    first = crm.session().result(TENANT, **given)
    crm.stop()
    kept = from_json(Deployment, to_json(crm.deployment))
    assert isinstance(kept, Deployment)
    assert kept == crm.deployment
    crm.world.deployment = kept
    crm.start()

    assert crm.session().result(TENANT, **given) == first | {"Replayed": True}


@pytest.mark.parametrize("own", [{"TenantId": OTHER_ID}, {"UniqueName": "ContosoService"}])
def test_one_operation_id_cannot_mean_two_calls(crm: Crm, own: dict[str, str]) -> None:
    given = tenant()
    crm.session().result(TENANT, **given)

    assert crm.session().refusal(TENANT, **(given | own)) == "OperationMismatch"
    clear = change(OperationId=given["OperationId"])
    assert crm.session().refusal(CLEAR, **clear) == "OperationMismatch"


def test_an_operation_tells_what_became_of_it(crm: Crm) -> None:
    session, given = crm.session(), tenant()
    unknown = session.result("Get-SssOperation", OperationId=str(uuid.uuid4()))

    result = session.result(TENANT, **given)
    done = session.result("Get-SssOperation", OperationId=given["OperationId"])

    assert unknown["State"] == "Unknown"
    assert (done["State"], done["FunctionName"], done["Error"]) == ("Done", TENANT, None)
    assert done["StoredResult"] == result
    assert done["StartedAtUtc"] <= done["EndedAtUtc"]


def test_a_failed_operation_may_run_again(crm: Crm) -> None:
    session, given = crm.session(), tenant()
    crm.deployment.organizations[0].state = "Disabled"
    assert session.refusal(TENANT, **given) == "OrganizationDisabled"
    failed = session.result("Get-SssOperation", OperationId=given["OperationId"])
    crm.deployment.organizations[0].state = "Enabled"

    result = session.result(TENANT, **given)

    assert (failed["State"], failed["Error"]["Code"]) == ("Failed", "OrganizationDisabled")
    assert failed["StoredResult"] is None
    assert (result["Changed"], result["Replayed"]) == (True, False)
    assert state(crm, given["OperationId"]) == "Done"


def test_an_older_fence_is_refused_and_the_newest_is_remembered(crm: Crm) -> None:
    session = crm.session()
    session.result(TENANT, **tenant(Epoch=2, Fence=7))

    for epoch, fence in ((2, 6), (1, 900)):
        given = tenant(Epoch=epoch, Fence=fence, ExpectTenantId=TENANT_ID, TenantId=OTHER_ID)
        assert session.refusal(TENANT, **given) == "StaleFence"
        unknown = session.result("Get-SssOperation", OperationId=given["OperationId"])
        assert unknown["State"] == "Unknown"

    # Equal is the same holder; a higher epoch is a restored portal that starts counting anew.
    equal = tenant(Epoch=2, Fence=7, ExpectTenantId=TENANT_ID, TenantId=OTHER_ID)
    assert session.result(TENANT, **equal)["Changed"] is True
    anew = tenant(Epoch=3, Fence=1, ExpectTenantId=OTHER_ID)
    assert session.result(TENANT, **anew)["Changed"] is True


def test_fences_are_kept_per_server_and_per_resource(crm: Crm) -> None:
    crm.session(TOOLS).result(TENANT, **tenant(Fence=50))

    assert crm.session(TOOLS).result(CLEAR, **change(Fence=1))["Changed"] is False
    assert crm.session(ASYNC).result(CLEAR, **change(Fence=1))["Changed"] is False
    assert crm.session(TOOLS).refusal(TENANT, **tenant(Fence=49)) == "StaleFence"
    fences = crm.deployment.server(TOOLS).fences
    assert {name: kept.fence for name, kept in fences.items()} == {"deployment": 50, "server": 1}


def test_another_portal_is_refused_and_moves_no_fence(crm: Crm) -> None:
    stranger = str(uuid.uuid4())

    assert crm.session().refusal(TENANT, **tenant(PortalId=stranger, Fence=99)) == "WrongPortal"
    assert crm.session().result(TENANT, **tenant(Fence=5))["Changed"] is True


def test_a_server_whose_installer_named_no_portal_belongs_to_the_first(crm: Crm) -> None:
    crm.deployment.server(TOOLS).portal_id = ""

    crm.session().result(TENANT, **tenant())

    other = tenant(PortalId=str(uuid.uuid4()), Fence=99)
    assert crm.session().refusal(TENANT, **other) == "WrongPortal"


def test_a_server_set_up_for_another_contract_changes_nothing(crm: Crm) -> None:
    crm.deployment.server(TOOLS).installed_contract = "0.9"

    assert crm.session().refusal(TENANT, **tenant()) == "ContractMismatch"
    assert crm.session().result("Get-SssServer")["Server"]


@pytest.mark.parametrize(
    ("field", "code"), [("is_elevated", "NotElevated"), ("is_64_bit", "Not64Bit")]
)
@pytest.mark.parametrize(("function", "own"), [("Get-SssServer", {}), (CLEAR, change())])
def test_the_endpoint_must_run_elevated_and_in_64_bit(
    crm: Crm, field: str, code: str, function: str, own: dict[str, Any]
) -> None:
    setattr(crm.deployment.server(TOOLS), field, False)

    assert crm.session().refusal(function, **own) == code


def test_a_restart_and_a_clean_up_are_no_change_of_settings(crm: Crm) -> None:
    crm.dials.add({"set": "winrm/restart_seconds", "value": 0.02})
    server = crm.deployment.server(ASYNC)
    server.transfer_files = 2
    session = crm.session(ASYNC)

    session.result(RESTART, **change(Service="Async", OnlyIfStartedBeforeUtc=instant()))
    session.result(CLEAR, **change())
    crm.session(TOOLS).result(TENANT, **tenant())

    assert session.result("Get-SssServer")["Server"]["LastChangeUtc"] is None
    assert crm.session(TOOLS).result("Get-SssServer")["Server"]["LastChangeUtc"] is not None


def test_a_second_change_on_a_busy_server_is_told_so(crm: Crm) -> None:
    crm.dials.add({"set": "winrm/restart_seconds", "value": 60.0})
    crm.dials.add({"set": "winrm/mutex_seconds", "value": 0.05})
    given = change(Service="Async", OnlyIfStartedBeforeUtc=instant())
    running = crm.session(ASYNC).start(RESTART, **given)
    running.begin_invoke()
    wait_until(lambda: state(crm, given["OperationId"], ASYNC) == "Running")

    session = crm.open(ASYNC)
    assert session.refusal(CLEAR, **change()) == "Busy"
    assert session.refusal(RESTART, **given) == "Busy"
    assert session.result("Get-SssServer")["Server"]["Services"][0]["State"] == "StopPending"

    running.stop()
    wait_until(lambda: state(crm, given["OperationId"], ASYNC) == "Failed")


def test_changes_of_two_servers_do_not_wait_for_each_other(crm: Crm) -> None:
    crm.dials.add({"set": f"winrm:{ASYNC}/restart_seconds", "value": 60.0})
    given = change(Service="Async", OnlyIfStartedBeforeUtc=instant())
    running = crm.session(ASYNC).start(RESTART, **given)
    running.begin_invoke()
    wait_until(lambda: state(crm, given["OperationId"], ASYNC) == "Running")

    assert crm.session(TOOLS).result(TENANT, **tenant())["Changed"] is True
    running.stop()


def test_a_command_goes_on_when_its_session_is_cut(crm: Crm) -> None:
    crm.dials.add({"set": "winrm/restart_seconds", "value": 0.5})
    dial = {"where": f"winrm:{ASYNC}", "fault": "contract", "name": "session_cut"}
    crm.dials.add({**dial, "match": RESTART})
    given = change(Service="Async", OnlyIfStartedBeforeUtc=instant())
    session = crm.open(ASYNC)

    with pytest.raises(ConnectionError):
        session.start(RESTART, **given).invoke()

    assert state(crm, given["OperationId"], ASYNC) == "Running"
    wait_until(lambda: state(crm, given["OperationId"], ASYNC) == "Done")
    assert crm.effects() == ["service.restart"]
    again = crm.session(ASYNC).result(RESTART, **given)
    assert (again["Changed"], again["Replayed"]) == (True, True)


def test_an_operation_whose_process_is_gone_has_failed_with_unknown_effect(crm: Crm) -> None:
    operation_id = str(uuid.uuid4())
    crm.deployment.server(TOOLS).operations[operation_id] = Operation(
        operation_id, TENANT, "hash of the call", "Running", instant()
    )

    left = crm.session().result("Get-SssOperation", OperationId=operation_id)

    assert left["State"] == "Failed"
    assert (left["Error"]["Code"], left["Error"]["Changed"]) == ("Internal", "Unknown")


def test_two_calls_with_one_operation_id_make_one_effect(crm: Crm) -> None:
    given = tenant()
    sessions = [crm.open() for _ in range(4)]
    answers: list[dict[str, Any]] = []

    def call(number: int) -> None:
        answers.append(sessions[number].call(TENANT, **given))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 4
    refused = {a["Error"]["Code"] for a in answers if a["Error"]}
    fresh = [a for a in answers if a["Ok"] and not a["Result"]["Replayed"]]
    assert refused <= {"Busy"}
    assert len(fresh) == 1
    assert crm.effects() == ["organization.s2sTenantId"]
