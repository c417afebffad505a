"""The commands that every RestrictedRemoteServer session shows, as far as a client can use them.

:source: PowerShell-Docs, reference/docs-conceptual/security/remoting/jea/session-configurations.md
    (the eight proxy functions and their aliases).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from psrpcore.types import (
    CommandTypes,
    ErrorCategory,
    PSCustomObject,
    PSInt,
    PSNoteProperty,
    PSObject,
    PSString,
    PSType,
    SessionStateEntryVisibility,
)

from simulator.crm_servers.binding import Arguments, bind
from simulator.crm_servers.error_records import PowerShellError
from simulator.crm_servers.parameters import Parameter

MODULE_VERSION = "1.0.0"

COMMANDS: Mapping[str, tuple[Parameter, ...]] = {
    "Clear-Host": (),
    "Exit-PSSession": (),
    "Get-Command": (Parameter("Name", "string[]"), Parameter("CommandType", "string")),
    "Get-FormatData": (Parameter("TypeName", "string[]"),),
    "Get-Help": (Parameter("Name", "string"),),
    "Measure-Object": (),
    "Out-Default": (),
    "Select-Object": (Parameter("Property", "string[]"),),
}
ALIASES = {
    "clear": "Clear-Host",
    "cls": "Clear-Host",
    "exsn": "Exit-PSSession",
    "gcm": "Get-Command",
    "measure": "Measure-Object",
    "select": "Select-Object",
}


@PSType(
    type_names=[
        "System.Management.Automation.FunctionInfo",
        "System.Management.Automation.CommandInfo",
    ],
    adapted_properties=[
        PSNoteProperty("Name", ps_type=PSString),
        PSNoteProperty("CommandType", ps_type=CommandTypes),
        PSNoteProperty("Verb", ps_type=PSString),
        PSNoteProperty("Noun", ps_type=PSString),
        PSNoteProperty("Version", ps_type=PSString),
        PSNoteProperty("Source", ps_type=PSString),
        PSNoteProperty("ModuleName", ps_type=PSString),
        PSNoteProperty("Visibility", ps_type=SessionStateEntryVisibility),
    ],
)
class FunctionInfo(PSObject):
    """A visible function as Get-Command writes it (the properties a remote reader looks at)."""


def run(
    name: str,
    arguments: Arguments,
    values: list[object],
    visible: Sequence[str],
    functions: frozenset[str],
) -> list[object]:
    """What the default command writes.

    :param values: what the command before it in the pipeline wrote.
    :param visible: every command that this session shows.
    :param functions: those of them that come from the SssPortal module.
    """
    # The first parameter takes a value without a name, as Get-Command's and Select-Object's do.
    parameters = COMMANDS[name]
    first = parameters[0].name if parameters else None
    bound = bind(name, parameters, [(given or first, value) for given, value in arguments])
    if name == "Get-Command":
        return list(_commands(bound, visible, functions))
    if name == "Get-Help":
        wanted = str(bound["Name"] or "Get-Help")
        return [f"NAME\r\n    {wanted}\r\n"]
    if name == "Measure-Object":
        return [PSCustomObject(Count=PSInt(len(values)), Property=None)]
    if name == "Select-Object":
        return _selected(bound["Property"], values)
    return values if name == "Out-Default" else []


def _commands(
    bound: Mapping[str, object], visible: Sequence[str], functions: frozenset[str]
) -> list[FunctionInfo]:
    kind = str(bound["CommandType"] or "All").casefold()
    if kind not in ("all", "function"):
        return []
    patterns = bound["Name"]
    if not isinstance(patterns, list):
        return [_info(name, functions) for name in visible]
    found = []
    for pattern in map(str, patterns):
        matching = [n for n in visible if fnmatch.fnmatch(n.casefold(), pattern.casefold())]
        if not matching and not set(pattern) & set("*?["):
            raise PowerShellError(
                f"The term '{pattern}' is not recognized as the name of a cmdlet, function, script "
                "file, or operable program. Check the spelling of the name, or if a path was "
                "included, verify that the path is correct and try again.",
                "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand",
                ErrorCategory.ObjectNotFound,
                "System.Management.Automation.CommandNotFoundException",
            )
        found += [_info(name, functions) for name in matching]
    return found


def _info(name: str, functions: frozenset[str]) -> FunctionInfo:
    own = name in functions
    verb, _, noun = name.partition("-")
    return FunctionInfo(
        Name=name,
        CommandType=CommandTypes.Function,
        Verb=verb,
        Noun=noun,
        Version=MODULE_VERSION if own else "",
        Source="SssPortal" if own else "",
        ModuleName="SssPortal" if own else "",
        Visibility=SessionStateEntryVisibility.Public,
    )


def _selected(properties: object, values: list[object]) -> list[object]:
    if not isinstance(properties, list):
        return values
    return [
        PSCustomObject(**{str(name): getattr(value, str(name), None) for name in properties})
        for value in values
    ]
