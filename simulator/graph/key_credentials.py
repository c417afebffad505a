"""What a PATCH of keyCredentials means: the sent collection replaces the whole one.

Sources: the pages of the keyCredential resource type and of "Update servicePrincipal"; the error
texts are those that users of Microsoft's own script and of Azure PowerShell have posted.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import uuid
from collections.abc import Mapping, Sequence

from cryptography import x509

from simulator.entra.state import KeyCredential
from simulator.graph.errors import GraphError
from simulator.graph.payload import instant_of

KIND, USAGE = "AsymmetricX509Cert", "Verify"


def replaced(
    current: Sequence[KeyCredential], sent: Sequence[Mapping[str, object]]
) -> list[KeyCredential]:
    """The new collection.

    An entry with a known keyId and without ``key`` is kept; one that is left out is removed; every
    other one is a new credential and must bring its certificate.

    :raises GraphError: 400, nothing changed.
    """
    known = {credential.key_id: credential for credential in current}
    named = {str(entry.get("keyId") or "").lower() for entry in sent}
    by_key = {
        credential.key: credential for credential in current if credential.key_id not in named
    }
    new: list[KeyCredential] = []
    for entry in sent:
        key_id = str(entry.get("keyId") or "").lower()
        if key_id in known:
            new.append(_kept(known[key_id], entry))
        elif not key_id and str(entry.get("key")) in by_key:
            # GUESS: {key, type, usage} alone stands for the stored credential with the same bytes,
            # as the script of CSS-Exchange relies on.
            new.append(by_key.pop(str(entry["key"])))
        else:
            new.append(_added(entry, key_id))
    if len({credential.key_id for credential in new}) < len(new):
        raise _invalid("KeyCredentialsInvalidDuplicate", "Duplicate key credential found.")
    return new


def to_graph(credential: KeyCredential, with_key: bool) -> dict[str, object]:
    """A credential as Graph shows it; ``key`` only where one object was asked for with $select."""
    return {
        "customKeyIdentifier": credential.custom_key_identifier,
        "displayName": credential.display_name,
        "endDateTime": credential.end,
        "key": credential.key if with_key else None,
        "keyId": credential.key_id,
        "startDateTime": credential.start,
        "type": credential.type,
        "usage": credential.usage,
    }


def thumbprint_of(credential: KeyCredential) -> str:
    """SHA-1 thumbprint of the certificate, 40 upper-case hexadecimal digits."""
    der = base64.b64decode(credential.key)
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def _kept(known: KeyCredential, entry: Mapping[str, object]) -> KeyCredential:
    same = to_graph(known, with_key=True)
    for name, value in entry.items():
        if name in ("startDateTime", "endDateTime"):
            is_same = value is None or instant_of(value) == instant_of(same[name])
        else:
            is_same = value == same[name] or (value is None and name != "displayName")
        # GUESS: an absent or null property keeps what is stored; any other value is a change.
        if not is_same and not (name == "displayName" and value is None):
            text = (
                f"Update to existing credential with KeyId '{known.key_id}' is not allowed."
                f" (property '{name}')"
            )
            raise GraphError(400, "KeyCredentialsInvalidKeyNotUpdatable", text)
    return known


def _added(entry: Mapping[str, object], key_id: str) -> KeyCredential:
    if entry.get("type") != KIND or entry.get("usage") != USAGE:
        text = f"Key credential must have type '{KIND}' and usage '{USAGE}'."
        raise _invalid("KeyCredentialsInvalidTypeOrUsage", text)
    if not entry.get("key"):
        raise _invalid("KeyCredentialsInvalidKeyMissing", "Key credential has no key value.")
    certificate, der = _certificate(str(entry["key"]))
    start = _date(entry, "startDateTime", certificate.not_valid_before_utc)
    end = _date(entry, "endDateTime", certificate.not_valid_after_utc)
    _check_dates(start, end, certificate)
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    name = entry.get("displayName")
    return KeyCredential(
        key_id=key_id or str(uuid.uuid4()),
        key=base64.b64encode(der).decode(),
        # GUESS: the SHA-1 thumbprint as 40 hexadecimal digits, where the caller sends none.
        custom_key_identifier=str(entry.get("customKeyIdentifier") or thumbprint),
        start=_text(start),
        end=_text(end),
        # GUESS: without a displayName the subject of the certificate is shown.
        display_name=str(name) if name is not None else certificate.subject.rfc4514_string(),
    )


def _certificate(coded: str) -> tuple[x509.Certificate, bytes]:
    try:
        data = base64.b64decode(coded, validate=True)
        certificate = x509.load_der_x509_certificate(data)
    except (binascii.Error, ValueError) as error:
        text = "Invalid value specified for property 'key' of resource 'KeyCredential'."
        raise GraphError(400, "Request_BadRequest", text) from error
    return certificate, data


def _date(
    entry: Mapping[str, object], name: str, otherwise: datetime.datetime
) -> datetime.datetime:
    value = entry.get(name)
    return otherwise if value is None else instant_of(value)


def _check_dates(
    start: datetime.datetime, end: datetime.datetime, certificate: x509.Certificate
) -> None:
    second = datetime.timedelta(seconds=1)
    now = datetime.datetime.now(datetime.UTC)
    if end > certificate.not_valid_after_utc + second or end <= now:
        raise _invalid("KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
    if start < certificate.not_valid_before_utc - second or start >= end:
        raise _invalid("KeyCredentialsInvalidStartDate", "Key credential start date is invalid.")


def _text(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invalid(code: str, message: str) -> GraphError:
    return GraphError(400, code, message)
