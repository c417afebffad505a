"""Clear-SssTransferFile: delete what a killed run of the product script has left."""

from __future__ import annotations

from simulator.crm_servers.answers import Json
from simulator.crm_servers.call import Call, Change, Outcome


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        server = call.server
        before: Json = {"Files": server.transfer_files}
        if not server.transfer_files:
            return Outcome(False, before, before)

        def change() -> Json:
            server.transfer_files = 0
            return {"Files": 0}

        call.effect("server.transferFiles", server.name, before, change, is_setting=False)
        return Outcome(True, before, {"Files": 0})


CLEAR_TRANSFER_FILE = Change("Clear-SssTransferFile", "server", (), _run)
