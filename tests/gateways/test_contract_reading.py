from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_setup.gateways.contract import Certificate, Egress, Operation
from sync_setup.gateways.contract_changes import TokenIssuerRow, TransferFiles
from sync_setup.gateways.contract_reading import (
    OffContract,
    OtherContract,
    read_change,
    read_envelope,
    read_many,
    read_shape,
)

ID = "11111111-2222-3333-4444-555555555555"
ENVELOPE: dict[str, Any] = {
    "ContractVersion": "1.0",
    "Function": "Get-SssServer",
    "ServerName": "CRM-APP01",
    "ServerTimeUtc": "2026-11-23T08:15:00.123Z",
    "Ok": True,
    "Error": None,
    "Result": {},
    "Warnings": ["old"],
}
CERTIFICATE: dict[str, Any] = {
    "Thumbprint": "A" * 40,
    "Sha256": "B" * 64,
    "Subject": "CN=crm",
    "Issuer": "CN=ca",
    "SerialNumber": "01",
    "NotBeforeUtc": "2026-01-01T00:00:00.000Z",
    "NotAfterUtc": "2027-01-01T00:00:00.000Z",
    "Archived": False,
    "HasPrivateKey": True,
    "KeyAlgorithm": "RSA",
    "KeyBits": 2048,
    "KeyStorage": "Csp",
    "ProviderName": "Microsoft RSA SChannel Cryptographic Provider",
    "ProviderType": 12,
    "KeySpec": 1,
    "Exportable": None,
    "KeyReaders": [
        {"Account": "CONTOSO\\svc", "Sid": "S-1-5-21-1", "Rights": "Read", "AddedByPortal": True}
    ],
    "ChainOk": True,
    "ChainStatus": [],
    "FoundBySubject": ["A" * 40],
    "IisBindings": [],
    "RawBase64": "MAA=",
}


def test_an_answer_is_read_whole() -> None:
    envelope = read_envelope(json.dumps(ENVELOPE), "Get-SssServer")
    (certificate,) = read_many(Certificate, "Certificates", {"Certificates": [CERTIFICATE]})

    assert envelope.server_time == datetime(2026, 11, 23, 8, 15, 0, 123000, tzinfo=UTC)
    assert envelope.warnings == ("old",)
    assert certificate.raw == b"0\x00"
    assert certificate.exportable is None
    assert certificate.key_readers[0].added_by_portal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Thumbprint", "a" * 40),
        ("Sha256", "B" * 63),
        ("NotAfterUtc", "2027-01-01T00:00:00Z"),
        ("NotAfterUtc", "2027-13-01T00:00:00.000Z"),
        ("NotAfterUtc", None),
        ("Archived", 0),
        ("KeyBits", True),
        ("KeyBits", 2048.0),
        ("KeyBits", "2048"),
        ("KeyStorage", "Other"),
        ("KeyStorage", 1),
        ("KeyReaders", None),
        ("KeyReaders", "System.Object[]"),
        ("KeyReaders", [1]),
        ("ChainStatus", [None]),
        ("RawBase64", "not base64"),
        ("RawBase64", "MAA"),
        ("Surprise", 1),
    ],
)
def test_a_property_off_the_contract_is_named(name: str, value: object) -> None:
    with pytest.raises(OffContract, match=name):
        read_shape(Certificate, CERTIFICATE | {name: value}, "Certificate")


@pytest.mark.parametrize("name", CERTIFICATE)
def test_no_property_may_be_missing(name: str) -> None:
    data = copy.deepcopy(CERTIFICATE)
    del data[name]

    with pytest.raises(OffContract, match=f"lacks {name}"):
        read_shape(Certificate, data)


@pytest.mark.parametrize(
    "changes",
    [
        {"Function": "Get-SssCertificate"},
        {"Ok": False},
        {"Result": None},
        {"Error": {"Code": "Busy", "Message": "", "Changed": "No"}},
        {"Warnings": None},
        {"ServerTimeUtc": "now"},
        {"More": 1},
    ],
)
def test_an_envelope_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OffContract):
        read_envelope(json.dumps(ENVELOPE | changes), "Get-SssServer")


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "null", "[" * 100_000])
def test_what_is_no_envelope_is_refused(text: str) -> None:
    with pytest.raises(OffContract):
        read_envelope(text, "Get-SssServer")


@pytest.mark.parametrize("version", ["1.1", "2.0", None, 1.0])
def test_another_version_is_told_apart(version: object) -> None:
    with pytest.raises(OtherContract):
        read_envelope(json.dumps(ENVELOPE | {"ContractVersion": version}), "Get-SssServer")


def test_a_change_is_read_with_its_before_and_after() -> None:
    result = {
        "OperationId": ID,
        "Changed": True,
        "Replayed": False,
        "Seconds": 2,
        "Before": {"Files": 3},
        "After": {"Files": 0},
    }

    change = read_change(TransferFiles, TransferFiles, result)

    assert (change.before.files, change.after.files, change.seconds) == (3, 0, 2.0)
    broken: dict[str, Any]
    for broken in ({"Before": {}}, {"Replayed": None}, {"OperationId": "1"}, {"More": 1}):
        with pytest.raises(OffContract):
            read_change(TransferFiles, TransferFiles, result | broken)
    with pytest.raises(OffContract):
        read_change(TokenIssuerRow, TokenIssuerRow, result)


def test_what_may_be_null_may_be_null() -> None:
    operation = read_shape(
        Operation,
        {
            "State": "Unknown",
            "FunctionName": None,
            "StartedAtUtc": None,
            "EndedAtUtc": None,
            "Error": None,
            "StoredResult": None,
        },
    )
    egress = read_shape(Egress, {"RunAsIdentity": "a", "Proxy": None, "Endpoints": []})

    assert operation.state == "Unknown"
    assert operation.stored_result is None
    assert egress.endpoints == ()
