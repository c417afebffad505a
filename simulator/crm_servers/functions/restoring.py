"""-RestoreOperationId: write back what the server itself recorded of an earlier operation."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.crm_servers.answers import Refusal
from simulator.crm_servers.call import Call


def recorded(call: Call) -> Mapping[str, str | None]:
    """What stood before the operation that is to be undone.

    :raises Refusal: NotOurs, where this server has no record of such a change.
    """
    operation = call.server.operations.get(call.text("RestoreOperationId"))
    if operation is None or operation.function != call.function or not operation.restorable:
        raise Refusal("NotOurs", "This server has no record of such an operation.")
    return operation.restorable
