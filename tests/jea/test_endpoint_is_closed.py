"""What the endpoint lets in: roles, session configurations, and nothing a caller could run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.jea.contract_file import CONTRACT, FUNCTIONS, LOOKS
from tests.jea.powershell import (
    JEA,
    MODULE,
    data_strings,
    functions,
    nodes,
    parse,
    powershell_files,
    text,
)

LOOK = MODULE / "RoleCapabilities" / "SssPortal.Look.psrc"
CHANGE = MODULE / "RoleCapabilities" / "SssPortal.Change.psrc"
SESSIONS = sorted((MODULE / "SessionConfigurations").glob("*.pssc"))
ALLOWED_IN_ROLES = {
    "GUID",
    "Author",
    "Description",
    "ModulesToImport",
    "VisibleFunctions",
}
# Commands of Microsoft.PowerShell.Core that the module itself uses; no other module may be loaded into
# the session, because its commands would become visible there.
CORE = {"Set-StrictMode", "Export-ModuleMember"}
FORBIDDEN = re.compile(
    r"Invoke-Expression|\biex\b|Add-PSSnapin|Import-Module|Invoke-Command|Start-Process"
    r"|Start-Job|Add-Type|Write-Host|Write-Verbose|Write-Debug|AddScript|\[scriptblock\]::"
    r"|InvokeScript|NewScriptBlock|ConvertFrom-SecureString|Start-Transcript",
    re.IGNORECASE,
)


def _keys(path: Path) -> set[str]:
    table = next(nodes(parse(path).root_node, "hash_literal_body"))
    return {text(entry.children[0]) for entry in table.children if entry.type == "hash_entry"}


def _code(path: Path) -> str:
    """A file without its comments."""
    return re.sub(r"(?m)#.*$", "", path.read_text())


def test_the_look_role_shows_the_five_looks_and_nothing_else() -> None:
    assert data_strings(LOOK, "VisibleFunctions") == LOOKS
    assert data_strings(LOOK, "ModulesToImport") == [CONTRACT["module"]]
    assert _keys(LOOK) == ALLOWED_IN_ROLES


def test_the_change_role_shows_the_thirteen_functions_and_nothing_else() -> None:
    assert data_strings(CHANGE, "VisibleFunctions") == list(FUNCTIONS)
    assert data_strings(CHANGE, "ModulesToImport") == [CONTRACT["module"]]
    assert _keys(CHANGE) == ALLOWED_IN_ROLES


@pytest.mark.parametrize("path", [LOOK, CHANGE, *SESSIONS], ids=lambda p: p.name)
def test_no_wildcard_is_in_a_role_or_session(path: Path) -> None:
    assert "*" not in _code(path)


@pytest.mark.parametrize("path", SESSIONS, ids=lambda p: p.name)
def test_a_session_is_restricted(path: Path) -> None:
    assert data_strings(path, "SessionType") == ["RestrictedRemoteServer"]
    assert data_strings(path, "LanguageMode") == ["NoLanguage"]
    assert data_strings(path, "TranscriptDirectory")
    roles = data_strings(path, "RoleDefinitions")
    assert roles[1::2] == [CONTRACT["capabilities"]["look"], CONTRACT["capabilities"]["change"]]
    assert len(set(roles[0::2])) == 2
    assert not _keys(path) & {
        "ModulesToImport",
        "VisibleCmdlets",
        "VisibleProviders",
        "VisibleExternalCommands",
        "ScriptsToProcess",
        "MountUserDrive",
        "RunAsVirtualAccountGroups",
    }


def test_each_kind_of_server_has_its_session() -> None:
    virtual, tools = (next(p for p in SESSIONS if w in p.name) for w in ("Virtual", "Tools"))

    assert "RunAsVirtualAccount" in _keys(virtual)
    assert "GroupManagedServiceAccount" not in _keys(virtual)
    assert data_strings(tools, "GroupManagedServiceAccount")[0].endswith("$")
    assert "RunAsVirtualAccount" not in _keys(tools)


@pytest.mark.parametrize("path", powershell_files(MODULE), ids=lambda p: p.name)
def test_the_module_runs_no_text_and_loads_nothing_into_the_session(path: Path) -> None:
    assert FORBIDDEN.findall(_code(path)) == []


def test_the_module_calls_only_its_own_functions() -> None:
    own = set(functions(MODULE))
    for function in own_and_root():
        for name in function:
            assert name in own | CORE, name


def own_and_root() -> list[list[str]]:
    """Names of the commands in every file: variables (& $Work) and dot-sourcing are left out."""
    found = []
    for path in powershell_files(MODULE):
        commands = [text(n) for n in nodes(parse(path).root_node, "command_name")]
        found.append([name for name in commands if not name.startswith("$")])
    return found


def test_what_is_run_by_name_is_named_by_the_module() -> None:
    """``& $Work`` is the only indirect call, and every value it gets is a literal function name."""
    sources = [(path, _code(path)) for path in powershell_files(MODULE)]
    indirect = [(p.name, m) for p, s in sources for m in re.findall(r"& (\$\w+)", s)]
    assert indirect == [("Answer.ps1", "$Work"), ("Change.ps1", "$Work")]
    named = [m for _, s in sources for m in re.findall(r"-Work (\S+)", s)]
    literals = [m for m in named if m != "$Work"]
    assert all(re.fullmatch(r"'[\w-]+'", m) for m in literals)
    assert {m.strip("'") for m in literals} <= set(functions(MODULE))


def test_crm_cmdlets_are_run_in_the_private_runspace_only() -> None:
    product = re.compile(r"\b(?:Get|Set|Remove)-Crm\w+")
    for path in powershell_files(MODULE):
        for line in _code(path).splitlines():
            if product.search(line):
                assert "-Command '" in line, f"{path.name}: {line}"


def test_no_parameter_is_a_path_address_account_or_text_to_run() -> None:
    odd = re.compile(r"path|file|url|uri|script|account|user|command|setting", re.IGNORECASE)
    for function in functions(MODULE / "Public").values():
        for parameter in function.parameters:
            # An expected address is compared, never written or called.
            if parameter.name != "ExpectMetadataUrl":
                assert not odd.search(parameter.name), parameter.name


def test_setup_never_prints_or_stores_a_password() -> None:
    for path in powershell_files(JEA / "Setup"):
        assert "password" not in path.read_text().lower()
