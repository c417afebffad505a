"""How a fault dial changes what happens to a request, in one place for all web systems."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from simulator.dials import Dials, Fault
from simulator.web.calls import Calls
from simulator.web.message import Request, Response, System

Manner = Literal["whole", "never", "drop", "truncated", "slow"]

PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>{title}</title></head>
<body><h1>{title}</h1><p>The service is undergoing maintenance.</p></body></html>
"""


@dataclass
class Delivery:
    """An answer and how it travels; ``never`` and ``drop`` send nothing at all."""

    response: Response
    manner: Manner = "whole"
    seconds: float = 0.0


def serve(system: System, request: Request, fault: Fault | None) -> Delivery:
    """Answer a request, struck by a fault or not."""
    if fault is None:
        return Delivery(system.answer(request))
    kind = fault.fault
    nothing = Response(0)
    if kind == "latency":
        time.sleep(fault.number("seconds", 1.0))
    if kind == "status":
        return Delivery(refused(system, request, fault))
    if kind == "timeout_before":
        return Delivery(nothing, "never", fault.number("seconds", 600.0))
    if kind == "drop" and not fault.flag("after"):
        return Delivery(nothing, "drop")
    if kind == "html":
        page = fault.text("body") or PAGE.format(title="Service Unavailable")
        return Delivery(Response.of_html(page, int(fault.number("status", 200))))
    request.is_silent = kind == "silent"
    request.stale_s = fault.number("seconds", 30.0) if kind == "stale" else 0.0
    response = system.answer(request)
    if kind == "timeout_after":
        return Delivery(nothing, "never", fault.number("seconds", 600.0))
    if kind == "drop":
        return Delivery(nothing, "drop")
    if kind == "truncated":
        return Delivery(response, "truncated")
    if kind == "slow_body":
        return Delivery(response, "slow", fault.number("seconds", 5.0))
    if kind == "garbled":
        # Still the right status and content type: only the body is nonsense.
        response.body = fault.text("body", "{\x00\x1f<garbled").encode()
    return Delivery(response)


def refused(system: System, request: Request, fault: Fault) -> Response:
    """The answer of a ``status`` fault, in the system's own error shape unless it gives a body."""
    status = int(fault.number("status", 500))
    response = system.refusal(request, status, fault.text("code"), fault.text("message"))
    if "body" in fault.more:
        body = fault.more["body"]
        response = (
            Response(status, body.encode())
            if isinstance(body, str)
            else Response.of_json(body, status)
        )
    if "retry_after" in fault.more:
        response.with_header("Retry-After", fault.text("retry_after"))
    extra = fault.more.get("headers")
    if isinstance(extra, dict):
        response.headers += [(str(name), str(value)) for name, value in extra.items()]
    return response


IN_BATCH = ("status", "latency", "silent", "stale")
"""Faults that can strike one operation inside a batch; the others are faults of a connection."""


def serve_in_batch(
    system: System, where: str, request: Request, dials: Dials, calls: Calls
) -> Response:
    """Answer one operation of a batch, as a call of its own; it may be struck by some faults."""
    request.in_batch = True
    call = calls.arrived(where, request.method, request.target)
    call["in_batch"] = True
    fault = dials.take(where, request.what, IN_BATCH)
    call["fault"] = fault.fault if fault else None
    started = time.monotonic()
    response = serve(system, request, fault).response
    call["status"], call["seconds"] = response.status, round(time.monotonic() - started, 4)
    return response
