from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from portal.errors import BadInput, Conflict, Rejected
from sync_setup.gateways.directory import KeyCredential, key_identifier
from sync_setup.gateways.identifiers import KeyId
from sync_setup.gateways.key_list import (
    as_metadata,
    as_public_keys,
    is_not_updatable,
    new_entry,
    refuse_other_certificate,
)

DER = b"0\x03not really a certificate"
SHA1 = hashlib.sha1(DER, usedforsecurity=False).hexdigest().upper()
KEY_ID = "11111111-2222-3333-4444-555555555555"
ROW: dict[str, Any] = {
    "customKeyIdentifier": SHA1,
    "displayName": "CN=über",
    "endDateTime": "2027-01-01T00:00:00Z",
    "key": base64.b64encode(DER).decode(),
    "keyId": KEY_ID.upper(),
    "startDateTime": "2026-01-01T00:00:00Z",
    "type": "AsymmetricX509Cert",
    "usage": "Verify",
    "somethingNew": 1,
}


def test_a_credential_is_known_by_its_certificate() -> None:
    key = KeyCredential.read(ROW)

    assert key.key_id == KEY_ID
    assert key.thumbprint == SHA1
    assert key.sha256 == hashlib.sha256(DER).hexdigest().upper()
    assert key.ends_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        SHA1,
        SHA1.lower(),
        base64.b64encode(bytes.fromhex(SHA1)).decode(),
        base64.b64encode(SHA1.encode()).decode(),
    ],
)
def test_without_a_key_the_identifier_tells_the_thumbprint(value: str) -> None:
    assert key_identifier(value) == SHA1
    assert KeyCredential.read(ROW | {"key": None, "customKeyIdentifier": value}).thumbprint == SHA1


@pytest.mark.parametrize("value", [None, 5, "", "hello", "aGVsbG8="])
def test_an_identifier_may_be_anything(value: object) -> None:
    assert key_identifier(value) is None
    assert KeyCredential.read(ROW | {"key": None, "customKeyIdentifier": value}).thumbprint is None


def test_kept_entries_go_back_without_key_and_name() -> None:
    (entry,) = as_metadata([KeyCredential.read(ROW)])

    assert set(entry) == {
        "customKeyIdentifier", "keyId", "startDateTime", "endDateTime", "type", "usage",
    }  # fmt: skip
    assert entry["keyId"] == KEY_ID.upper()


def test_or_go_back_as_public_keys_if_graph_gave_them_all() -> None:
    known, hidden = KeyCredential.read(ROW), KeyCredential.read(ROW | {"key": None})

    assert as_public_keys([known]) == [
        {name: ROW[name] for name in ("key", "type", "usage", "keyId")}
    ]
    assert as_public_keys([known, hidden]) is None


def test_a_new_entry_has_the_certificates_own_dates_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    start = datetime(2026, 11, 23, 1, 0, 0, 999999, tzinfo=berlin)

    entry = new_entry(KeyId(KEY_ID), DER, "SSS Portal", start, datetime(2027, 1, 1, tzinfo=UTC))

    assert entry["startDateTime"] == "2026-11-23T00:00:00Z"
    assert base64.b64decode(str(entry["key"])) == DER
    with pytest.raises(BadInput):
        new_entry(KeyId(KEY_ID), DER, "Schlüssel", start, start)


def test_an_id_that_another_certificate_has_is_a_conflict() -> None:
    keys = [KeyCredential.read(ROW)]

    refuse_other_certificate(keys, KeyId(KEY_ID), DER)
    with pytest.raises(Conflict):
        refuse_other_certificate(keys, KeyId(KEY_ID), b"other")


@pytest.mark.parametrize(
    ("detail", "is_it"),
    [
        ({"error_code": "KeyCredentialsInvalidKeyNotUpdatable"}, True),
        ({"answer": "Update to existing credential with KeyId '1' is not allowed."}, True),
        ({"error_code": "Request_BadRequest", "answer": "no"}, False),
    ],
)
def test_graphs_complaint_about_a_kept_entry_is_recognised(
    detail: dict[str, str], is_it: bool
) -> None:
    assert is_not_updatable(Rejected("x", detail=detail)) is is_it
