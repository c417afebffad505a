"""What every change goes through: mutex, portal, fence, operation store; then the function itself."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping

from simulator.crm_servers.answers import CONTRACT_VERSION, Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.parameters import FENCE_PARAMETERS
from simulator.deployment import Fence, Operation
from simulator.ledger import instant

MUTEX_WAIT_S = 2.0
"""Also a setting: winrm/mutex_seconds."""


def perform(call: Call, change: Change) -> Json:
    """Run a changing function and return its Result.

    A call with the operation id of a finished operation gets the stored result and does nothing; a
    failed one may run again.

    :raises Refusal: one of the contract's codes.
    """
    with call.machine.world.lock:
        _require_portal(call)
    with _mutex(call):
        with call.machine.world.lock:
            _accept_fence(call, change.resource)
            stored = _begin(call, change)
        if stored is not None:
            return {**stored, "Replayed": True}
        return _run(call, change)


def state_of(call: Call, operation: Operation) -> str:
    """The state of an operation: Running only while its process lives."""
    if operation.state == "Running" and operation.operation_id not in call.machine.live:
        return "Failed"
    return operation.state


ABANDONED = Refusal("Internal", "The process that ran this operation is gone.", "Unknown")


@contextlib.contextmanager
def _mutex(call: Call) -> Iterator[None]:
    if not call.machine.mutex.acquire(timeout=call.setting("mutex_seconds", MUTEX_WAIT_S)):
        raise Refusal("Busy", "Another change is running on this server.")
    try:
        yield
    finally:
        call.machine.mutex.release()


def _require_portal(call: Call) -> None:
    server = call.machine.server()
    if server.installed_contract != CONTRACT_VERSION:
        raise Refusal("ContractMismatch", "The installer ran for another contract.")
    if server.portal_id and server.portal_id != call.text("PortalId"):
        raise Refusal("WrongPortal", "This endpoint was installed for another portal.")


def _accept_fence(call: Call, resource: str) -> None:
    server = call.machine.server()
    _require_portal(call)
    epoch, fence = call.number("Epoch"), call.number("Fence")
    kept = server.fences.get(resource)
    if kept is not None and (epoch, fence) < (kept.epoch, kept.fence):
        raise Refusal(
            "StaleFence",
            f"Fence ({epoch}, {fence}) is older than ({kept.epoch}, {kept.fence}) of {resource}.",
        )
    server.portal_id = call.text("PortalId")
    server.fences[resource] = Fence(epoch, fence)
    call.machine.world.changed()


def _begin(call: Call, change: Change) -> Json | None:
    """Write the operation down before it starts, or return the result of its earlier run."""
    operation_id = call.text("OperationId")
    wanted = _parameter_hash(change, call.values)
    store = call.machine.server().operations
    known = store.get(operation_id)
    if known is not None:
        if (known.function, known.parameter_hash) != (change.name, wanted):
            raise Refusal(
                "OperationMismatch", "This operation id belongs to a call with other parameters."
            )
        if state_of(call, known) == "Running":
            raise Refusal("Busy", "This operation is running.")
        if known.state == "Done":
            return known.stored_result
    started = instant(call.machine.now())
    call.operation = Operation(operation_id, change.name, wanted, "Running", started)
    store[operation_id] = call.operation
    call.machine.live.add(operation_id)
    call.machine.world.changed()
    return None


def _run(call: Call, change: Change) -> Json:
    started = time.monotonic()
    try:
        outcome = change.run(call)
    except Refusal as refusal:
        _end(call, "Failed", error=refusal)
        raise
    except BaseException:
        _end(call, "Failed", error=Refusal("Internal", "The call was ended.", "Unknown"))
        raise
    result: Json = {
        "OperationId": call.text("OperationId"),
        "Changed": outcome.changed,
        "Replayed": False,
        "Seconds": round(time.monotonic() - started, 3),
        "Before": outcome.before,
        "After": outcome.after,
    }
    _end(call, "Done", result=result, outcome=outcome)
    return result


def _end(
    call: Call,
    state: str,
    *,
    result: Json | None = None,
    error: Refusal | None = None,
    outcome: Outcome | None = None,
) -> None:
    operation = call.operation
    if operation is None:
        return
    with call.machine.world.lock:
        operation.state = state
        operation.ended_at = instant(call.machine.now())
        operation.stored_result = result
        operation.error = error.to_json() if error else None
        operation.restorable = dict(outcome.restorable) if outcome else {}
        call.machine.live.discard(operation.operation_id)
        call.machine.world.changed()


def _parameter_hash(change: Change, values: Mapping[str, object]) -> str:
    """SHA-256 over the function's own parameters: no secret, none of the five of every change."""
    left_out = change.secrets | {parameter.name for parameter in FENCE_PARAMETERS}
    own = {name: _plain(value) for name, value in values.items() if name not in left_out}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return sorted(value) if isinstance(value, list) else value
