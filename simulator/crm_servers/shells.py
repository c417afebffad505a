"""A shell: one runspace pool of one client, its pipelines and what waits to be fetched."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING

import psrpcore

from simulator.crm_servers import commands
from simulator.crm_servers.pipelines import Pipeline
from simulator.crm_servers.soap import OPERATION_TIMED_OUT, SESSION_DOES_NOT_EXIST, WSManFault

if TYPE_CHECKING:
    from simulator.crm_servers.accounts import Caller
    from simulator.crm_servers.binding import Arguments
    from simulator.crm_servers.machine import Machine

FRAGMENT_BYTES = 32768


class Shell:
    """One runspace pool. psrpcore keeps the protocol's state; this keeps queues and pipelines.

    Everything that touches ``pool`` holds ``condition``.
    """

    def __init__(self, shell_id: str, machine: Machine, caller: Caller) -> None:
        self.id, self.machine, self.caller = shell_id, machine, caller
        self.pool = psrpcore.ServerRunspacePool()
        self.condition = threading.Condition()
        self.pipelines: dict[str, Pipeline] = {}
        self.touched = time.monotonic()
        self._queues: dict[str, bytearray] = {"": bytearray()}

    def begin(self, command_id: str) -> None:
        """Make room for a pipeline whose creation message follows."""
        with self.condition:
            self.pipelines[command_id] = Pipeline(self, command_id)
            self._queues[command_id] = bytearray()

    def feed(self, data: bytes, command_id: str = "") -> None:
        """Take fragments from the client.

        :raises Dropped, NoAnswer, PlainAnswer: a fault strikes the command that they complete.
        """
        pipeline_id = uuid.UUID(command_id) if command_id else None
        created: list[tuple[Pipeline, psrpcore.PowerShell]] = []
        self.machine.note("sent", command_id, data)
        with self.condition:
            self.touched = time.monotonic()
            self.pool.receive_data(
                psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline_id)
            )
            while (event := self.pool.next_event()) is not None:
                if isinstance(event, psrpcore.CreatePipelineEvent):
                    created.append((self._pipeline_of(event), event.pipeline))
                elif isinstance(event, psrpcore.GetAvailableRunspacesEvent):
                    self.pool.runspace_availability_response(event.ci, self.pool.max_runspaces)
            self.flush()
        for pipeline, powershell in created:
            self.machine.strike(self, pipeline, powershell)
            with self.condition:
                pipeline.start(powershell)
                self.flush()

    def invoke(
        self,
        pipeline: Pipeline,
        command: psrpcore.Command,
        arguments: Arguments,
        values: list[object],
    ) -> list[object]:
        """Run one command of a pipeline on what the one before it wrote.

        :raises PowerShellError: the command's terminating error.
        """
        return commands.invoke(self, pipeline, command, arguments, values)

    def fetch(self, command_id: str, seconds: float) -> tuple[bytes, bool]:
        """What the pipeline (or, without id, the pool) has to say, and whether that is all.

        :raises WSManFault: nothing within the time, or no such pipeline.
        """
        deadline = time.monotonic() + seconds
        with self.condition:
            while True:
                self.touched = time.monotonic()
                pipeline = self.pipelines.get(command_id)
                if command_id and pipeline is None:
                    raise _unknown("The command was not found on the server.")
                finished = pipeline is not None and pipeline.finished
                queue = self._queues[command_id]
                if queue or finished:
                    data = bytes(queue)
                    queue.clear()
                    self.machine.note("received", command_id, data)
                    return data, finished
                left = deadline - time.monotonic()
                if left <= 0 or self.machine.is_stopping:
                    raise WSManFault(
                        OPERATION_TIMED_OUT,
                        "The WS-Management service cannot complete the operation within the time "
                        "specified in OperationTimeout.",
                        "w:TimedOut",
                    )
                self.condition.wait(min(left, 1.0))

    def wait_for_end(self, command_id: str) -> None:
        """Return when the pipeline has ended (or the machine stops)."""
        with self.condition:
            while not self.machine.is_stopping:
                pipeline = self.pipelines.get(command_id)
                if pipeline is None or pipeline.finished:
                    return
                self.condition.wait(1.0)

    def flush(self) -> None:
        """Move what the protocol has to send into the queues. Call it under the condition."""
        while (payload := self.pool.data_to_send(FRAGMENT_BYTES)) is not None:
            key = str(payload.pipeline_id).upper() if payload.pipeline_id else ""
            self._queues.setdefault(key, bytearray()).extend(payload.data)
        self.condition.notify_all()

    def terminate(self, command_id: str) -> None:
        """Stop a pipeline, or forget it where it has ended: the client has heard all of it."""
        with self.condition:
            pipeline = self.pipelines.get(command_id)
            if pipeline is not None and pipeline.finished:
                del self.pipelines[command_id], self._queues[command_id]
            elif pipeline is not None:
                pipeline.stop()

    def end(self) -> None:
        """Stop every pipeline, as closing a session does."""
        for pipeline in self.pipelines.values():
            pipeline.stop()

    def _pipeline_of(self, event: psrpcore.CreatePipelineEvent) -> Pipeline:
        pipeline = self.pipelines.get(str(event.pipeline_id).upper())
        if pipeline is None:
            raise _unknown("The command was not found on the server.")
        return pipeline


def _unknown(message: str) -> WSManFault:
    return WSManFault(SESSION_DOES_NOT_EXIST, message, "w:InvalidSelectors")
