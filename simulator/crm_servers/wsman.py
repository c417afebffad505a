"""The WS-Management operations that PowerShell remoting needs, on one machine.

:source: MS-PSRP 3.1.5.3; the order in which a client sends them is pypsrp's.
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from simulator.crm_servers.accounts import Caller
from simulator.crm_servers.machine import Machine
from simulator.crm_servers.shells import Shell
from simulator.crm_servers.soap import (
    ACCESS_DENIED,
    INVALID_RESOURCE_URI,
    NS,
    SESSION_DOES_NOT_EXIST,
    BadRequest,
    Request,
    WSManFault,
)
from simulator.crm_servers.strike import Dropped, NoAnswer

CONFIGURATION = "SssPortal"
STATE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/"
TERMINATING = ("/signal/terminate", "/signal/ctrl_c", "/signal/powershell/ctrl_c")


def answer(machine: Machine, caller: Caller, request: Request) -> str:
    """Carry one operation out and return the body of its response.

    :raises WSManFault, BadRequest: refused.
    :raises Dropped, NoAnswer, PlainAnswer: a fault strikes.
    """
    operation = OPERATIONS.get(request.verb)
    if operation is None:
        raise BadRequest(f"unknown action {request.action[:80]!r}")
    return operation(machine, caller, request)


def dribble_s(machine: Machine, request: Request) -> float:
    """Over how many seconds the answer to this request is to be spread; 0 for at once."""
    shell = machine.shells.get(request.shell_id)
    if shell is None or request.verb != "Receive":
        return 0.0
    pipeline = shell.pipelines.get(_receive_id(request))
    fault = pipeline.fault if pipeline else None
    return fault.number("seconds", 5) if fault and fault.fault == "slow_body" else 0.0


def _create(machine: Machine, caller: Caller, request: Request) -> str:
    configuration = request.resource_uri.rsplit("/", 1)[-1]
    if configuration.casefold() != CONFIGURATION.casefold():
        raise WSManFault(
            INVALID_RESOURCE_URI,
            "The WS-Management service cannot process the request. Cannot find the "
            f"{configuration} session configuration in the WSMan: drive on the {machine.name} "
            "computer.",
            "w:InvalidResourceURI",
        )
    if caller.grant == "None":
        raise WSManFault(ACCESS_DENIED, "Access is denied.", "w:AccessDenied")
    element = _element(request, "rsp:Shell")
    shell_id = element.get("ShellId") or str(uuid.uuid4()).upper()
    shell = Shell(shell_id, machine, caller)
    shell.feed(_decoded(element.findtext("p:creationXml", "", NS)))
    machine.open_shell(shell)
    uri, owner = escape(request.resource_uri), escape(caller.account)
    return (
        f"<x:ResourceCreated><a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{escape(shell_id)}</w:Selector>'
        "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{escape(shell_id)}</rsp:ShellId>"
        f"<rsp:ResourceUri>{uri}</rsp:ResourceUri><rsp:Owner>{owner}</rsp:Owner>"
        "<rsp:ClientIP>127.0.0.1</rsp:ClientIP></rsp:Shell>"
    )


def _command(machine: Machine, caller: Caller, request: Request) -> str:
    shell = _shell(machine, caller, request)
    line = _element(request, "rsp:CommandLine")
    command_id = (line.get("CommandId") or str(uuid.uuid4())).upper()
    shell.begin(command_id)
    fragments = "".join(argument.text or "" for argument in line.iterfind("rsp:Arguments", NS))
    shell.feed(_decoded(fragments), command_id)
    return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"


def _send(machine: Machine, caller: Caller, request: Request) -> str:
    stream = _element(request, "rsp:Send/rsp:Stream")
    shell = _shell(machine, caller, request)
    shell.feed(_decoded(stream.text or ""), (stream.get("CommandId") or "").upper())
    return "<rsp:SendResponse/>"


def _receive(machine: Machine, caller: Caller, request: Request) -> str:
    shell = _shell(machine, caller, request)
    command_id = _receive_id(request)
    _strike_answer(machine, shell, command_id)
    data, finished = shell.fetch(command_id, request.timeout_s)
    mark = f' CommandId="{command_id}"' if command_id else ""
    state = "Done" if finished else "Running"
    ended = f'<rsp:CommandState{mark} State="{STATE}{state}"/>' if command_id else ""
    return (
        f'<rsp:ReceiveResponse><rsp:Stream Name="stdout"{mark}>'
        f"{base64.b64encode(data).decode()}</rsp:Stream>{ended}</rsp:ReceiveResponse>"
    )


def _strike_answer(machine: Machine, shell: Shell, command_id: str) -> None:
    """The faults that strike what a running or finished command has to say."""
    pipeline = shell.pipelines.get(command_id)
    fault = pipeline.fault if pipeline else None
    if fault is None:
        return
    if fault.fault == "contract" and fault.text("name") == "session_cut":
        # The session is gone, the command is not: it runs to its end with nobody listening.
        machine.shells.pop(shell.id, None)
        raise Dropped
    if fault.fault in ("timeout_after", "drop"):
        shell.wait_for_end(command_id)
        if fault.fault == "drop":
            raise Dropped
        raise NoAnswer(fault.number("seconds", 3600))


def _signal(machine: Machine, caller: Caller, request: Request) -> str:
    shell = _shell(machine, caller, request)
    element = _element(request, "rsp:Signal")
    if element.findtext("rsp:Code", "", NS).lower().endswith(TERMINATING):
        shell.terminate((element.get("CommandId") or "").upper())
    return "<rsp:SignalResponse/>"


def _delete(machine: Machine, caller: Caller, request: Request) -> str:
    shell = _shell(machine, caller, request)
    machine.shells.pop(shell.id, None)
    shell.end()
    return ""


def _get(machine: Machine, caller: Caller, request: Request) -> str:
    shell = _shell(machine, caller, request)
    return (
        f"<rsp:Shell><rsp:ShellId>{escape(shell.id)}</rsp:ShellId>"
        "<rsp:State>Connected</rsp:State></rsp:Shell>"
    )


def _disconnect(machine: Machine, caller: Caller, request: Request) -> str:
    _shell(machine, caller, request)
    return "<rsp:DisconnectResponse/>"


def _reconnect(machine: Machine, caller: Caller, request: Request) -> str:
    _shell(machine, caller, request)
    return "<rsp:ReconnectResponse/>"


OPERATIONS: Mapping[str, Callable[[Machine, Caller, Request], str]] = {
    "Create": _create,
    "Command": _command,
    "Send": _send,
    "Receive": _receive,
    "Signal": _signal,
    "Delete": _delete,
    "Get": _get,
    "Disconnect": _disconnect,
    "Reconnect": _reconnect,
}


def _shell(machine: Machine, caller: Caller, request: Request) -> Shell:
    shell = machine.shells.get(request.shell_id)
    if shell is None or shell.caller != caller:
        raise WSManFault(
            SESSION_DOES_NOT_EXIST,
            f"The request for the Windows Remote Shell with ShellId {request.shell_id[:36]} failed "
            "because the shell was not found on the server. Possible causes are: the specified "
            "ShellId is incorrect or the shell no longer exists on the server. Provide the correct "
            "ShellId or create a new shell and retry the operation.",
            "w:InvalidSelectors",
        )
    shell.touched = time.monotonic()
    return shell


def _receive_id(request: Request) -> str:
    return (_element(request, "rsp:Receive/rsp:DesiredStream").get("CommandId") or "").upper()


def _element(request: Request, path: str) -> ET.Element:
    found = request.body.find(path, NS)
    if found is None:
        raise BadRequest(f"the body has no {path}")
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadRequest("not base64") from error
