"""Get-SssServer: what this server is, and as whom the endpoint runs."""

from __future__ import annotations

from simulator.crm_servers.answers import Json
from simulator.crm_servers.call import Call, Look
from simulator.crm_servers.functions.tools import run_as_kind
from simulator.crm_servers.shapes import server_shape


def _run(call: Call) -> Json:
    return {"Server": server_shape(call.server, run_as_kind(call))}


GET_SERVER = Look("Get-SssServer", (), _run)
