"""One CRM server at run time: the state it stands for, its mutex, its shells, its faults."""

from __future__ import annotations

import collections
import copy
import datetime
import logging
import threading
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import psrpcore

from simulator.crm_servers.strike import CONTRACT_DIALS, Dropped, NoAnswer, PlainAnswer
from simulator.deployment import Deployment, Server
from simulator.dials import BadDial, Dials, Fault
from simulator.ledger import Ledger

if TYPE_CHECKING:
    from simulator.crm_servers.accounts import Accounts
    from simulator.crm_servers.message_record import MessageRecord
    from simulator.crm_servers.pipelines import Pipeline
    from simulator.crm_servers.shells import Shell
    from simulator.web.calls import Calls

log = logging.getLogger(__name__)

SHELL_IDLE_S = 7200.0


class World(Protocol):
    """What a CRM server needs of the simulated world."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held, re-entrant, while state is read or changed."""

    @property
    def deployment(self) -> Deployment:
        """The deployment as it is now."""

    def changed(self) -> None:
        """Keep the state; called under the lock after every change."""


class Simulation(Protocol):
    """What the simulated systems share. Its world is replaced by a reset, so nobody keeps it."""

    @property
    def world(self) -> World: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def dials(self) -> Dials: ...


SETTLE_S = 10.0


class Machine:
    """A CRM server: everything that one listener and its shells share.

    :ivar mutex: the named mutex Global\\SssPortal of this server.
    :ivar live: operations whose process lives.
    :ivar running: pipelines at work, also those whose session is gone.
    :ivar messages: takes what is sent and received; None, as a rule: nothing is recorded.
    """

    def __init__(
        self,
        name: str,
        simulation: Simulation,
        accounts: Accounts,
        calls: Calls,
        messages: MessageRecord | None = None,
    ) -> None:
        self.name, self.where = name, f"winrm:{name}"
        self.accounts, self.calls, self.messages = accounts, calls, messages
        self._simulation = simulation
        self.mutex = threading.Lock()
        self.live: set[str] = set()
        self.running: set[Pipeline] = set()
        self.shells: dict[str, Shell] = {}
        self._stopping = threading.Event()
        self._past: collections.deque[tuple[float, Deployment]] = collections.deque(maxlen=20)

    @property
    def world(self) -> World:
        return self._simulation.world

    @property
    def ledger(self) -> Ledger:
        return self._simulation.ledger

    @property
    def dials(self) -> Dials:
        return self._simulation.dials

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """Let every waiting request end."""
        self._stopping.set()
        for shell in list(self.shells.values()):
            with shell.condition:
                shell.condition.notify_all()

    def settle(self) -> None:
        """End every command at work: nothing of an older world may have an effect on a newer one."""
        at_work = list(self.running)
        for pipeline in at_work:
            pipeline.stop()
        for pipeline in at_work:
            pipeline.join(SETTLE_S)
        self._past.clear()

    def rest(self, seconds: float) -> None:
        """Wait, unless the machine stops."""
        self._stopping.wait(seconds)

    def server(self) -> Server:
        """This server's state. Hold the world's lock."""
        return self.world.deployment.server(self.name)

    def now(self) -> datetime.datetime:
        """The time by this server's own clock."""
        skew = datetime.timedelta(seconds=self.server().clock_offset_s)
        return datetime.datetime.now(datetime.UTC) + skew

    def remember(self) -> None:
        """Keep the state as it is before a change, for stale reads. Hold the world's lock."""
        self._past.append((time.monotonic(), copy.deepcopy(self.world.deployment)))

    def past(self, seconds: float) -> Deployment:
        """The deployment as this server saw it so long ago. Hold the world's lock."""
        moment = time.monotonic() - seconds
        # Each entry is the state up to its own time, so the first one that lasted beyond the moment
        # is what was true then.
        return next((state for until, state in self._past if until > moment), self.world.deployment)

    def strike(self, shell: Shell, pipeline: Pipeline, powershell: psrpcore.PowerShell) -> None:
        """Let a fault dial strike the command that a client has just sent.

        :raises Dropped, NoAnswer, PlainAnswer: it strikes before the command starts.
        """
        first = powershell.commands[0]
        name = "script" if first.is_script else str(first.command_text)
        pipeline.record = self.calls.arrived(self.where, "INVOKE", name)
        fault = self.dials.take(self.where, name)
        if fault is None:
            return
        if fault.fault == "contract" and fault.text("name") not in CONTRACT_DIALS:
            raise BadDial(f"{self.where} has no dial {fault.text('name')!r}")
        pipeline.record["fault"] = fault.fault
        pipeline.record["status"] = 0
        if fault.fault == "status":
            raise _status(fault)
        if fault.fault == "html":
            page = b"<html><body>Service Unavailable</body></html>"
            raise PlainAnswer(int(fault.number("status", 200)), page)
        if fault.fault == "timeout_before":
            raise NoAnswer(fault.number("seconds", 3600))
        if fault.fault == "drop" and not fault.flag("after"):
            raise Dropped
        pipeline.fault = fault

    def open_shell(self, shell: Shell) -> None:
        """Add a shell, and end those that nobody has touched for two hours (WinRM's IdleTimeout)."""
        oldest = time.monotonic() - SHELL_IDLE_S
        for idle in [s for s in self.shells.values() if s.touched < oldest]:
            self.shells.pop(idle.id, None)
            idle.end()
        self.shells[shell.id] = shell

    def note(self, kind: str, name: str, data: bytes) -> None:
        """Record what is sent or received, where somebody asked for it."""
        if self.messages is not None:
            self.messages.add(self.name, kind, name, data)

    def report(self, error: Exception) -> None:
        """Say that the simulator itself is at fault."""
        log.error("%s: the simulator failed", self.name, exc_info=error)


def _status(fault: Fault) -> PlainAnswer:
    headers = [("Retry-After", fault.text("retry_after"))] if "retry_after" in fault.more else []
    return PlainAnswer(
        int(fault.number("status", 503)), fault.text("body").encode(), headers=tuple(headers)
    )
