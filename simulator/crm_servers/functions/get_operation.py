"""Get-SssOperation: what became of an operation, also when nobody heard its answer."""

from __future__ import annotations

from simulator.crm_servers.answers import Json
from simulator.crm_servers.call import Call, Look
from simulator.crm_servers.changes import ABANDONED, state_of
from simulator.crm_servers.parameters import Parameter


def _run(call: Call) -> Json:
    operation = call.server.operations.get(call.text("OperationId"))
    if operation is None:
        return {
            "State": "Unknown",
            "FunctionName": None,
            "StartedAtUtc": None,
            "EndedAtUtc": None,
            "Error": None,
            "StoredResult": None,
        }
    state = state_of(call, operation)
    error = operation.error
    if state == "Failed" and operation.state == "Running":
        error = ABANDONED.to_json()
    return {
        "State": state,
        "FunctionName": operation.function,
        "StartedAtUtc": operation.started_at,
        "EndedAtUtc": operation.ended_at,
        "Error": error,
        "StoredResult": operation.stored_result,
    }


GET_OPERATION = Look("Get-SssOperation", (Parameter("OperationId", "guid", mandatory=True),), _run)
