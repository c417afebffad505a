"""The module's functions, parameters, codes and returned properties are the contract's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.jea.contract_file import CHANGES, CONTRACT, FUNCTIONS, LOOKS, codes, parameters
from tests.jea.powershell import (
    MODULE,
    Function,
    Parameter,
    data_strings,
    functions,
    nodes,
    parse,
    text,
    unquoted,
)

PUBLIC = functions(MODULE / "Public")
EVERY = functions(MODULE)
TYPES = {
    "System.Security.SecureString": "securestring",
    "System.Management.Automation.PSCredential": "pscredential",
}
# Which function writes which shape.
SHAPES = {
    "Error": "ConvertTo-SssFailure",
    "ChangeResult": "Get-SssStoredResult",
    "Server": "Read-SssServer",
    "CertificateScript": "Get-SssProductScriptFacts",
    "Service": "Get-SssServiceFacts",
    "Certificate": "Get-SssCertificateFacts",
    "KeyReader": "Get-SssKeyReaders",
    "Deployment": "Read-SssDeployment",
    "CrmServer": "Read-SssCrmServers",
    "CrmOrganization": "Read-SssOrganizations",
    "TokenIssuer": "Read-SssTokenIssuers",
    "Endpoint": "Test-SssEndpoint",
}
# A call that the code reaches only where Test-SssSnapIn said that the tools are here.
GUARDED = {("Set-SssCertificateState", "NotDeploymentTools")}


def _pattern(parameter: Parameter) -> str | None:
    rule = parameter.attribute("ValidatePattern")
    if rule is None:
        return None
    # Windows PowerShell ignores case in ValidatePattern unless told otherwise, and $ lets a newline by.
    assert rule.named == {"Options": "'None'"}, parameter.name
    pattern = unquoted(rule.arguments[0])
    assert pattern.endswith(r"\z"), parameter.name
    return pattern.removesuffix(r"\z") + "$"


def _values(parameter: Parameter) -> list[str] | None:
    rule = parameter.attribute("ValidateSet")
    if rule is None:
        return None
    assert rule.named == {"IgnoreCase": "$false"}, parameter.name
    return [unquoted(value) for value in rule.arguments]


def _bounds(parameter: Parameter, name: str) -> list[int] | None:
    rule = parameter.attribute(name)
    return None if rule is None else [int(value) for value in rule.arguments]


def _described(parameter: Parameter) -> dict[str, Any]:
    """A parameter in the words of contract.json."""
    rule = parameter.attribute("Parameter")
    default = unquoted(parameter.default)
    found = {
        "name": parameter.name,
        "type": TYPES.get(parameter.type, parameter.type),
        "mandatory": parameter.is_mandatory,
        "pattern": _pattern(parameter),
        "values": _values(parameter),
        "count": _bounds(parameter, "ValidateCount"),
        "range": _bounds(parameter, "ValidateRange"),
        "length": _bounds(parameter, "ValidateLength"),
        "set": unquoted(rule.named.get("ParameterSetName", "")) if rule else "",
        "empty": parameter.attribute("AllowEmptyString") is not None,
        "default": int(default) if default.isdigit() else default,
    }
    return {key: value for key, value in found.items() if value not in (None, "", False)} | {
        "mandatory": parameter.is_mandatory
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_the_contracts(name: str) -> None:
    wanted = [
        {key: value for key, value in parameter.items() if key != "secret"}
        for parameter in parameters(name)
    ]

    assert [_described(parameter) for parameter in PUBLIC[name].parameters] == wanted


def test_exported_functions_are_the_contracts() -> None:
    assert set(PUBLIC) == set(FUNCTIONS)
    assert data_strings(MODULE / "SssPortal.psd1", "FunctionsToExport") == list(FUNCTIONS)
    root = parse(MODULE / "SssPortal.psm1").root_node
    exported = [c for c in nodes(root, "command") if "Export-ModuleMember" in text(c)]
    assert len(exported) == 1
    strings = [unquoted(text(node)) for node in nodes(exported[0], "string_literal")]
    assert strings == list(FUNCTIONS)
    for key in ("CmdletsToExport", "VariablesToExport", "AliasesToExport"):
        assert data_strings(MODULE / "SssPortal.psd1", key) == []


def test_one_file_holds_one_function_of_the_contract() -> None:
    for name, function in PUBLIC.items():
        assert function.path.stem == name


def test_contract_version_and_clouds_are_the_contracts() -> None:
    source = (MODULE / "Private" / "Contract.ps1").read_text()

    assert f"$script:SssContractVersion = '{CONTRACT['version']}'" in source
    for name, cloud in CONTRACT["clouds"].items():
        part = source[source.index(f"{name} = @{{") :]
        part = part[: part.index("\n    }")]
        assert f"PrincipalId = '{cloud['principalId']}'" in part
        assert f"MetadataUrl = '{cloud['metadataUrl']}'" in part
        assert re.findall(r"^            '([^']+)'$", part, re.M) == cloud["egressHosts"]
    assert len(re.findall(r"^    \w+ = @\{$", source, re.M)) == len(CONTRACT["clouds"])


@pytest.mark.parametrize("shape", CONTRACT["shapes"])
def test_a_shape_has_exactly_the_contracts_properties(shape: str) -> None:
    assert tuple(CONTRACT["shapes"][shape]) in EVERY[SHAPES[shape]].tables()


def test_the_envelope_has_exactly_the_contracts_properties() -> None:
    assert tuple(CONTRACT["envelope"]) in EVERY["Format-SssAnswer"].tables()


def _reached(start: Function) -> list[Function]:
    """Functions that a public one can come to, by call or by name as -Work."""
    seen = {start.name: start}
    waiting = [start]
    while waiting:
        function = waiting.pop()
        named = {command.name for command in function.commands()}
        named |= set(re.findall(r"-Work '([\w-]+)'", function.text))
        for name in named & set(EVERY) - set(seen):
            seen[name] = EVERY[name]
            waiting.append(EVERY[name])
    return list(seen.values())


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_returns_the_contracts_properties(name: str) -> None:
    tables = [table for function in _reached(PUBLIC[name]) for table in function.tables()]

    assert tuple(FUNCTIONS[name]["result"]) in tables


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_tells_before_and_after_as_the_contract_does(name: str) -> None:
    tables = [table for function in _reached(PUBLIC[name]) for table in function.tables()]

    assert tuple(FUNCTIONS[name]["before"]) in tables
    assert tuple(FUNCTIONS[name]["after"]) in tables


def _refusals(function: Function) -> set[str]:
    found = re.findall(r"-Code '(\w+)'", function.text)
    return set(found) | set(re.findall(r"Code = '(\w+)'", function.text))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_refuses_with_the_contracts_codes_and_no_others(name: str) -> None:
    found = {code for function in _reached(PUBLIC[name]) for code in _refusals(function)}
    found -= {code for guarded, code in GUARDED if guarded == name}

    assert found == codes(name)


def test_every_code_of_the_contract_is_used_and_no_other() -> None:
    assert {code for function in EVERY.values() for code in _refusals(function)} == set(
        CONTRACT["codes"]
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_secrets_stay_out_of_the_parameter_hash(name: str) -> None:
    secret = {p["name"] for p in FUNCTIONS[name]["parameters"] if p.get("secret")}
    source = PUBLIC[name].text
    call = source[source.index("-Call") :] if "-Call" in source else ""
    kept = call[: call.index("})")] if call else ""

    assert not any(f"${parameter}" in kept for parameter in secret)
    for parameter in secret:
        assert f"{parameter} = ${parameter}" in source


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_holds_the_contracts_resource(name: str) -> None:
    assert f"-Resource '{FUNCTIONS[name]['resource']}'" in PUBLIC[name].text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_work_reads_only_what_the_function_hands_over(name: str) -> None:
    """Under strict mode a missing key is an error, and only a run would show it."""
    source = PUBLIC[name].text
    handed = {
        part: set(re.findall(r"(?m)^ +(\w+) = ", _part(source, f"-{part} ")))
        for part in ("Call", "Secret")
    }
    for function in _reached(PUBLIC[name]):
        for part in ("Call", "Secret"):
            read = set(re.findall(rf"\$Run\.{part}\.(\w+)", function.text))
            if part == "Call" and "$call = $Run.Call" in function.text:
                read |= set(re.findall(r"\$call\.(\w+)", function.text))
            read -= {"Values", "Count"}
            assert read <= handed[part], (function.name, part)


def _part(source: str, start: str) -> str:
    """From a parameter to the end of its table."""
    if start not in source:
        return ""
    rest = source[source.index(start) :]
    return rest[: re.search(r"(?m)^ +\}", rest).start()]  # type: ignore[union-attr]


def test_a_run_has_every_field_that_is_used() -> None:
    fields = {key for table in EVERY["New-SssRun"].tables() for key in table}
    used = {
        field for function in EVERY.values() for field in re.findall(r"\$Run\.(\w+)", function.text)
    }

    assert used == fields
