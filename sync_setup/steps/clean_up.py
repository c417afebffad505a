from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.jobs.step import Gap, Look, Order, Planned, Value
from sync_setup.context import SetupContext
from sync_setup.models import CrmServer
from sync_setup.server_step import Effect, ServerStep

# What this job holds, not what the portal has: a file that another unfinished job needs by now is held
# for that one, and goes with it. So the field is settled by letting go, whoever needs the file and
# whenever they began or ended, and what became of the file itself is told in the evidence.
KEY_FILE = "key file and password held for this job"
HELD = "held"


class CleanUp(ServerStep):
    """Leave nothing behind: no transfer file on any server, no key file and no password in the portal.

    Only a key file that another unfinished job needs stays in the portal, until that one ends.
    The old certificate and the old keys stay; taking them away is a plan of its own.
    """

    key = "clean-up"
    title = "Clean up"
    group = "Clean up"
    system = "SSS Portal and CRM servers"
    undo = "The key file can be uploaded again; the certificate stays on the servers."
    is_reversible = False

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [server.resource for server in context.servers]

    def look(self, context: SetupContext, mark: Any) -> Look:
        mine, kept = context.job_secrets(), context.kept_secrets()
        fields: dict[str, Value] = {KEY_FILE: HELD if mine else None}
        shown = {"key file": _standing(bool(mine), bool(kept))}
        for server in context.servers:
            count = context.server(server).get_server().transfer_files
            fields[_files(server)] = count or None
        return Look(fields, shown)

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        return dict.fromkeys(look.fields, None)

    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        return [
            Effect(server, _effect(server), look.fields[_files(server)] is None)
            for server in context.servers
        ]

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        for server in context.servers:
            if _files(server) in gaps:
                order.log(f"{server.name}: deletes transfer files")
                context.server(server).clear_transfer_files(
                    context.server_order(order, _effect(server))
                )
        if KEY_FILE in gaps:
            order.log("Destroys the key file and its password.")
            context.destroy_job_secrets()


def _files(server: CrmServer) -> str:
    return f"{server.name}: transfer files"


def _standing(mine: bool, kept: bool) -> str:
    if mine:
        return "sealed in the portal"
    return "kept for another unfinished job" if kept else "not in the portal"


def _effect(server: CrmServer) -> str:
    return f"{server.name} transfer files"
