"""Restart-SssService: stop, wait, start, wait; a service that does not stop is never killed."""

from __future__ import annotations

import datetime

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.parameters import Parameter
from simulator.crm_servers.pipelines import Stopped
from simulator.crm_servers.shapes import restart_shape
from simulator.deployment import Service
from simulator.ledger import instant

SERVICES = ("Async", "AsyncMaintenance", "WebApplicationPool")


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        service = _service(call)
        before = restart_shape(service)
        if service.state == "Running" and service.started_at >= _threshold(call):
            return Outcome(False, before, before)
        service.state = "StopPending"
    if call.is_dialled("hangs_in_stopping"):
        _hang(call, service, before)
    try:
        call.pipeline.wait(call.setting("restart_seconds", 0.3))
    except Stopped:
        # Nobody is left to start the service again once it has stopped.
        _moved(call, service, before, "Stopped")
        raise
    _moved(call, service, before, "Running")
    return Outcome(True, before, restart_shape(service))


def _service(call: Call) -> Service:
    wanted = call.text("Service")
    service = call.server.running(wanted)
    if service is None or service.start_mode == "Disabled":
        raise Refusal("ServiceMissing", f"{wanted} does not run on {call.server.name}.")
    return service


def _threshold(call: Call) -> str:
    text = call.text("OnlyIfStartedBeforeUtc")
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal("BadParameter", "OnlyIfStartedBeforeUtc is no instant.") from error
    return text


def _hang(call: Call, service: Service, before: Json) -> None:
    """Wait for a service that does not stop.

    :raises Refusal: ServiceTimeout, always.
    """
    patience = min(float(call.number("TimeoutSeconds")), call.setting("hang_seconds", 1.0))
    call.pipeline.wait(patience)
    _moved(call, service, before, "StopPending")
    raise Refusal("ServiceTimeout", f"{service.name} is still stopping.", "Unknown")


def _moved(call: Call, service: Service, before: Json, state: str) -> None:
    """The service is in another state; one that starts reads its settings."""

    def change() -> Json:
        service.state = state
        if state == "Running":
            service.started_at = instant(call.machine.now())
            service.process_id = 1000 + (service.process_id * 7 + 1284) % 60000
            service.loaded = call.deployment.snapshot()
        return restart_shape(service)

    with call.machine.world.lock:
        call.effect("service.restart", service.name, before, change, is_setting=False)


RESTART_SERVICE = Change(
    "Restart-SssService",
    "server",
    (
        Parameter("Service", "string", mandatory=True, choices=SERVICES),
        Parameter(
            "OnlyIfStartedBeforeUtc",
            "string",
            mandatory=True,
            pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",
        ),
        Parameter("TimeoutSeconds", "int", bounds=(30, 900), default=300),
    ),
    _run,
)
