"""A running pipeline: its commands on a thread of their own, its streams towards the client."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import psrpcore
from psrpcore.types import ErrorCategory, PSInvocationState

from simulator.crm_servers.error_records import PowerShellError

if TYPE_CHECKING:
    from simulator.crm_servers.shells import Shell
    from simulator.dials import Fault


class Stopped(Exception):
    """The client stopped the pipeline (Signal, or the shell was deleted)."""


class Pipeline:
    """One pipeline of a shell. It runs on when the connection ends: only a Signal stops it.

    :ivar fault: the fault that strikes its answers; None for most.
    :ivar record: its line in the list of calls, filled in when it ends.
    """

    def __init__(self, shell: Shell, command_id: str) -> None:
        self.shell, self.id = shell, command_id
        self.protocol = psrpcore.ServerPipeline(shell.pool, uuid.UUID(command_id))
        self.fault: Fault | None = None
        self.record: dict[str, object] = {}
        self.finished = False
        self._began = time.monotonic()
        self._stop = threading.Event()

    def start(self, powershell: psrpcore.PowerShell) -> None:
        """Run the commands on a thread of their own."""
        self.protocol.start()
        name = f"{self.shell.machine.name}-{self.id[:8]}"
        self._thread = threading.Thread(
            target=self._run_and_leave, args=(powershell,), name=name, daemon=True
        )
        self.shell.machine.running.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Ask the pipeline to end; a command notices it when it next waits."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait until its thread has ended, at most so long."""
        self._thread.join(seconds)

    def _run_and_leave(self, powershell: psrpcore.PowerShell) -> None:
        try:
            self._run(powershell)
        finally:
            self.shell.machine.running.discard(self)

    def wait(self, seconds: float) -> None:
        """Let a command spend time.

        :raises Stopped: the pipeline was stopped meanwhile.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def _run(self, powershell: psrpcore.PowerShell) -> None:
        activity = ""
        try:
            values: list[object] = []
            for command in powershell.commands:
                activity = str(command.command_text)
                arguments = [(name, value) for name, value in command.parameters]
                if command.is_script:
                    activity = ""
                values = self.shell.invoke(self, command, arguments, values)
            for value in values:
                self._tell(lambda value=value: self.protocol.write_output(value))  # type: ignore[misc]
            self._end(self.protocol.complete)
        except Stopped:
            self._end(self.protocol.stop)
        except PowerShellError as error:
            self._fail(error, activity)
        except Exception as error:
            self.shell.machine.report(error)
            kind = f"The simulator failed: {type(error).__name__}"
            self._fail(PowerShellError(kind, "Internal", ErrorCategory.NotSpecified), activity)

    def _fail(self, error: PowerShellError, activity: str) -> None:
        record = error.record(activity)
        # psrpcore has no public way to end a pipeline as Failed.
        self._end(lambda: self.protocol._change_state(PSInvocationState.Failed, error=record))

    def _end(self, finish: Callable[[], None]) -> None:
        def done() -> None:
            finish()
            self.finished = True
            self.record["status"] = 200
            self.record["seconds"] = round(time.monotonic() - self._began, 4)

        self._tell(done)

    def _tell(self, say: Callable[[], None]) -> None:
        with self.shell.condition:
            say()
            self.shell.flush()
