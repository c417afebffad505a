"""Mistakes that a run would show, looked for without one: names, parameters, variables, stubs."""

from __future__ import annotations

import re

from tests.jea.powershell import (
    JEA,
    MODULE,
    Function,
    functions,
    nodes,
    powershell_files,
    text,
    unquoted,
)

EVERY = functions(MODULE)
WINDOWS = functions(MODULE / "Private" / "Windows")
STUBS = functions(JEA / "Stubs", deep=False)
SELF_TEST = functions(JEA / "SelfTest")
SETUP = functions(JEA / "Setup")
# Automatic variables, and those of parameter binding.
AUTOMATIC = {
    "_",
    "true",
    "false",
    "null",
    "args",
    "pscmdlet",
    "psboundparameters",
    "psversiontable",
    "psscriptroot",
}


def _names(function: Function) -> set[str]:
    return {parameter.name for parameter in function.parameters}


def _calls_fit(callers: dict[str, Function], known: dict[str, Function]) -> list[str]:
    """Calls of known functions that would not bind."""
    wrong = []
    for caller in callers.values():
        for command in caller.commands():
            target = known.get(command.name)
            if target is None:
                continue
            extra = set(command.parameters) - _names(target)
            given = set(command.parameters)
            is_splatted = re.search(r"\s@[A-Za-z]", command.text) is not None
            needed = {p.name for p in target.parameters if p.is_mandatory}
            missing = set() if is_splatted else needed - given
            if extra or missing:
                wrong.append(f"{caller.name} calls {command.name}: {extra=} {missing=}")
    return wrong


def test_every_call_inside_the_module_binds() -> None:
    assert _calls_fit(EVERY, EVERY) == []


def test_every_call_inside_setup_and_self_test_binds() -> None:
    assert _calls_fit(SETUP, SETUP) == []
    assert _calls_fit(SELF_TEST, SELF_TEST) == []


def _assigned(function: Function) -> set[str]:
    found = {name.lower() for name in _names(function)}
    for node in nodes(function.node, "script_parameter"):
        found |= {text(v)[1:].lower() for v in nodes(node, "variable")}
    for node in nodes(function.node, "left_assignment_expression"):
        found |= {text(v)[1:].lower() for v in nodes(node, "variable")}
    for node in nodes(function.node, "foreach_statement"):
        found.add(text(next(nodes(node, "variable")))[1:].lower())
    return found


def _read(function: Function) -> set[str]:
    names = {text(node)[1:].lower() for node in nodes(function.node, "variable")}
    names |= {text(node)[1:].lower() for node in nodes(function.node, "braced_variable")}
    return {name for name in names if ":" not in name}


def test_every_variable_has_a_value() -> None:
    empty = {
        name: _read(function) - _assigned(function) - AUTOMATIC
        for name, function in (EVERY | SETUP).items()
    }

    assert {name: found for name, found in empty.items() if found} == {}


def test_every_module_variable_is_set_somewhere() -> None:
    source = "\n".join(path.read_text() for path in powershell_files(MODULE))
    used = set(re.findall(r"\$script:(\w+)", source))
    made = set(re.findall(r"(?m)^\s*\$script:(\w+) = ", source))

    assert used == made


def test_the_stubs_stand_in_for_all_access_to_the_machine() -> None:
    rest = {name: f for name, f in EVERY.items() if name not in WINDOWS}
    called = {command.name for f in rest.values() for command in f.commands()}
    seam = called & set(WINDOWS)

    assert seam <= set(STUBS)
    for name in seam:
        assert _names(STUBS[name]) == _names(WINDOWS[name]), name


def test_no_stub_stands_in_for_a_rule() -> None:
    assert set(STUBS) & set(EVERY) <= set(WINDOWS)


def test_stub_cmdlets_are_those_that_the_module_runs() -> None:
    cmdlets = functions(JEA / "Stubs" / "CrmCmdlets")
    commands = {
        match
        for function in EVERY.values()
        for match in re.findall(r"-Command '([\w-]+)'", function.text)
    }

    assert commands == {name for name in cmdlets if "Stub" not in name}


def test_an_array_is_never_wrapped_on_return() -> None:
    """Lists are written out item by item and gathered with @( ): one rule, no nested arrays."""
    for name, function in EVERY.items():
        assert not re.search(r"return ,|Write-Output", function.text), name


def test_functions_that_write_lists_are_gathered() -> None:
    lists = {
        "Get-SssKeyReaders",
        "Find-SssBySubject",
        "Get-SssStoreCertificate",
        "Get-SssKeyFileEntry",
        "Get-SssIisBinding",
        "Get-SssServiceList",
        "Get-SssPoolList",
        "Get-SssLocalRoles",
        "Get-SssOtherCrmService",
        "Get-SssServiceName",
        "Get-SssTransferFile",
        "Get-SssRoleWords",
        "Read-SssCrmServers",
        "Read-SssOrganizations",
        "Read-SssTokenIssuers",
    }
    for function in EVERY.values():
        for line in function.text.splitlines():
            for name in lists & set(re.findall(r"[\w-]+", line)):
                if line.startswith("function "):
                    continue
                assert f"@({name}" in line, f"{function.name}: {line}"


def test_every_function_of_the_contract_is_in_the_self_test() -> None:
    source = "\n".join(path.read_text() for path in powershell_files(JEA / "SelfTest"))

    for name in functions(MODULE / "Public"):
        assert f"'{name}'" in source, name


def test_the_self_test_loads_files_that_exist() -> None:
    script = (JEA / "Test-SssPortal.ps1").read_text()
    listed = re.search(r"foreach \(\$part in @\(([^)]*)\)", script)

    assert listed is not None
    parts = {unquoted(part.strip()) for part in listed[1].split(",")}
    assert parts == {path.name for path in (JEA / "SelfTest").iterdir()}


def test_functions_stay_short() -> None:
    for function in EVERY.values():
        assert function.node.end_point.row - function.node.start_point.row < 70, function.name
