"""Which commands a session shows and runs: the contract's functions and the default JEA commands."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import psrpcore

from simulator.crm_servers import changes, default_commands
from simulator.crm_servers.answers import Refusal, envelope
from simulator.crm_servers.binding import Arguments, bind
from simulator.crm_servers.call import Call, Change, Look
from simulator.crm_servers.contract import CONTRACT
from simulator.crm_servers.error_records import command_not_found, script_not_allowed
from simulator.crm_servers.parameters import FENCE_PARAMETERS
from simulator.crm_servers.pipelines import Pipeline
from simulator.ledger import instant

if TYPE_CHECKING:
    from simulator.crm_servers.accounts import Grant
    from simulator.crm_servers.shells import Shell

FUNCTIONS: Mapping[str, Look | Change] = {function.name: function for function in CONTRACT}


def visible(grant: Grant) -> list[str]:
    """Names of the commands that a session of this role shows, sorted."""
    own = [f.name for f in CONTRACT if grant == "Change" or isinstance(f, Look)]
    return sorted(own + list(default_commands.COMMANDS))


def invoke(
    shell: Shell,
    pipeline: Pipeline,
    command: psrpcore.Command,
    arguments: Arguments,
    values: list[object],
) -> list[object]:
    """Run one command of a pipeline; ``values`` is what the command before it wrote.

    :raises PowerShellError: no such command here, script text, or a parameter does not bind.
    """
    if command.is_script:
        raise script_not_allowed()
    text = str(command.command_text)
    shown = {name.casefold(): name for name in visible(shell.caller.grant)}
    name = shown.get(default_commands.ALIASES.get(text.casefold(), text).casefold())
    if name is None:
        raise command_not_found(text)
    if name in FUNCTIONS:
        return [_call(shell, pipeline, FUNCTIONS[name], arguments)]
    names = list(shown.values())
    return default_commands.run(name, arguments, values, names, frozenset(FUNCTIONS))


def _call(shell: Shell, pipeline: Pipeline, function: Look | Change, arguments: Arguments) -> str:
    machine, fault = shell.machine, pipeline.fault
    parameters, default_set = function.parameters, ""
    if isinstance(function, Change):
        parameters, default_set = (*parameters, *FENCE_PARAMETERS), function.default_set
    values = bind(function.name, parameters, arguments, default_set)
    if machine.messages is not None:
        machine.messages.add_parameters(machine.name, function.name, values)
    call = Call(machine, pipeline, shell.caller, function.name, values, machine.world.deployment)
    if fault is not None and fault.fault == "contract":
        call.dial = fault.text("name")
    if fault is not None and fault.fault == "latency":
        pipeline.wait(fault.number("seconds", 1))
    pipeline.wait(call.setting("seconds", 0.0))
    with machine.world.lock:
        if fault is not None and fault.fault == "silent":
            call.deployment = copy.deepcopy(call.deployment)
            call.is_silent = True
        if fault is not None and fault.fault == "stale" and isinstance(function, Look):
            call.deployment = machine.past(fault.number("seconds", 5))
    return _spoiled(_answer(call, function), fault.fault if fault else "")


def _answer(call: Call, function: Look | Change) -> str:
    machine = call.machine
    try:
        _require_host(call)
        if isinstance(function, Change):
            result = changes.perform(call, function)
        else:
            with machine.world.lock:
                result = function.run(call)
    except Refusal as refusal:
        return envelope(function.name, machine.name, _now(call), error=refusal.to_json())
    return envelope(function.name, machine.name, _now(call), result=result, warnings=call.warnings)


def _require_host(call: Call) -> None:
    with call.machine.world.lock:
        if not call.server.is_elevated:
            raise Refusal("NotElevated", "The session does not run as an administrator.")
        if not call.server.is_64_bit:
            raise Refusal("Not64Bit", "The endpoint runs in 32-bit Windows PowerShell.")


def _now(call: Call) -> str:
    with call.machine.world.lock:
        return instant(call.machine.now())


def _spoiled(text: str, fault: str) -> str:
    if fault == "garbled":
        return "\ufffd" + json.dumps(text)[1:-1][::-1]
    return text[: len(text) // 2] if fault == "truncated" else text
