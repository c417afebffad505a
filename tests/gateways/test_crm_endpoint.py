from __future__ import annotations

import pytest

from sync_setup.gateways.crm_endpoint import (
    CHANGE_FUNCTIONS,
    LOOK_FUNCTIONS,
    RESTRICTED_COMMANDS,
    judge_commands,
)

ALL = LOOK_FUNCTIONS | CHANGE_FUNCTIONS | RESTRICTED_COMMANDS


@pytest.mark.parametrize(
    "shown",
    [
        ALL,
        LOOK_FUNCTIONS | RESTRICTED_COMMANDS,
        ALL | {"gcm", "cls", "select"},
        LOOK_FUNCTIONS | {"Get-Command"},
    ],
)
def test_the_contracts_commands_and_the_default_ones_are_accepted(shown: frozenset[str]) -> None:
    own, complaint = judge_commands(frozenset(shown))

    assert complaint == ""
    assert own == shown & (LOOK_FUNCTIONS | CHANGE_FUNCTIONS)


@pytest.mark.parametrize(
    ("shown", "named"),
    [
        (ALL | {"Remove-CrmOrganization"}, "Remove-CrmOrganization"),
        (ALL | {"Invoke-Expression"}, "Invoke-Expression"),
        (ALL | {"C:\\Windows\\System32\\cmd.exe"}, "cmd.exe"),
        (ALL | {"get-sssserver"}, "get-sssserver"),
        (ALL - {"Clear-SssTransferFile"}, "Clear-SssTransferFile"),
        (LOOK_FUNCTIONS - {"Get-SssServer"}, "Get-SssServer"),
        (frozenset[str](), "Get-SssServer"),
    ],
)
def test_one_command_more_or_less_is_named(shown: frozenset[str], named: str) -> None:
    _, complaint = judge_commands(frozenset(shown))

    assert named in complaint
