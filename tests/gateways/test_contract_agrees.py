"""The gateway's records and calls against the contract written down for machines."""

from __future__ import annotations

import json
import types
import typing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sync_setup.gateways import contract, contract_changes, crm_endpoint
from sync_setup.gateways.contract_reading import Envelope, properties
from sync_setup.gateways.crm_failures import CODES

CONTRACT: dict[str, Any] = json.loads(Path("sync_setup/jea/contract.json").read_text())
SHAPES = {
    "Error": contract.ContractError,
    "Server": contract.Server,
    "CertificateScript": contract.CertificateScript,
    "Service": contract.Service,
    "Certificate": contract.Certificate,
    "KeyReader": contract.KeyReader,
    "Deployment": contract.Deployment,
    "CrmServer": contract.CrmServer,
    "CrmOrganization": contract.CrmOrganization,
    "TokenIssuer": contract.TokenIssuer,
    "Endpoint": contract.Reached,
}
RESULTS = {"Test-SssEgress": contract.Egress, "Get-SssOperation": contract.Operation}
BEFORE_AFTER = {
    "Install-SssCertificate": (
        contract_changes.CertificatePresence,
        contract_changes.InstalledCertificate,
    ),
    "Set-SssKeyReader": (contract_changes.KeyReaders, contract_changes.KeyReaders),
    "Set-SssCertificateState": (
        contract_changes.CertificateStanding,
        contract_changes.CertificateStanding,
    ),
    "Set-SssTokenIssuer": (contract_changes.TokenIssuerRow, contract_changes.TokenIssuerRow),
    "Set-SssAuthorizationServer": (
        contract_changes.AuthorizationServer,
        contract_changes.AuthorizationServer,
    ),
    "Set-SssOrganizationTenant": (
        contract_changes.OrganizationTenant,
        contract_changes.OrganizationTenant,
    ),
    "Restart-SssService": (contract_changes.ServiceRun, contract_changes.ServiceRun),
    "Clear-SssTransferFile": (contract_changes.TransferFiles, contract_changes.TransferFiles),
}
SCALARS = {
    str: "text",
    bool: "bool",
    int: "int",
    float: "number",
    datetime: "instant",
    contract.Der: "base64",
}
GUIDS = {"Guid", "OperationId", "OrganizationId", "TenantId"}


def word(kind: Any) -> str:
    """A type of the gateway in the words of the contract."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return word(next(part for part in inner if part is not types.NoneType)) + "?"
    if origin is tuple:
        return word(inner[0]) + "[]"
    if origin is typing.Literal:
        return next(str(n) for n, words in CONTRACT["enums"].items() if words == list(inner))
    if kind in SCALARS:
        return SCALARS[kind]
    if kind in SHAPES.values():
        return next(name for name, shape in SHAPES.items() if shape is kind)
    if "Mapping" in str(origin):
        return "object"
    name = str(kind.__name__)
    return "guid" if name in GUIDS else name.lower()


def in_words(shape: type) -> dict[str, str]:
    return {name: word(kind) for name, (_, kind) in properties(shape).items()}


@pytest.mark.parametrize("name", SHAPES)
def test_a_record_is_the_contracts_shape(name: str) -> None:
    shape = {
        key: "text" if kind == "Code" else kind for key, kind in CONTRACT["shapes"][name].items()
    }

    assert in_words(SHAPES[name]) == shape


def test_every_shape_has_a_record() -> None:
    assert set(CONTRACT["shapes"]) - set(SHAPES) == {"ChangeResult"}
    assert in_words(Envelope) == CONTRACT["envelope"]


@pytest.mark.parametrize("name", BEFORE_AFTER)
def test_before_and_after_are_the_contracts(name: str) -> None:
    function = next(f for f in CONTRACT["functions"] if f["name"] == name)
    before, after = BEFORE_AFTER[name]

    assert in_words(before) == function["before"]
    assert in_words(after) == function["after"]


@pytest.mark.parametrize("name", RESULTS)
def test_results_without_a_shape_of_their_own_are_the_contracts(name: str) -> None:
    function = next(f for f in CONTRACT["functions"] if f["name"] == name)
    result = {
        key: "object?" if kind == "ChangeResult?" else kind
        for key, kind in function["result"].items()
    }

    assert in_words(RESULTS[name]) == result


def test_functions_commands_and_codes_are_the_contracts() -> None:
    by_role = {
        role: {f["name"] for f in CONTRACT["functions"] if f["role"] == role}
        for role in ("look", "change")
    }

    assert by_role["look"] == crm_endpoint.LOOK_FUNCTIONS
    assert by_role["change"] == crm_endpoint.CHANGE_FUNCTIONS == set(BEFORE_AFTER)
    assert set(CONTRACT["restrictedCommands"]) == crm_endpoint.RESTRICTED_COMMANDS
    assert set(CONTRACT["codes"]) == set(CODES)
    assert CONTRACT["version"] == contract.CONTRACT_VERSION
    assert CONTRACT["endpoint"] == contract.ENDPOINT
