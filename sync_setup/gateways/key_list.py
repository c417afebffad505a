"""How the key credentials that must stay are sent back to Graph, which replaces the whole list.

Two encodings are known to work, each in Microsoft's own scripts: the entries without ``key`` and
``displayName`` (ConfigureCrmServerSideSync.ps1), or only key, type, usage and keyId (CSS-Exchange,
for principals of Microsoft's own applications). The first is tried first.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from portal.errors import BadInput, Conflict, Rejected
from sync_setup.gateways.directory import KeyCredential
from sync_setup.gateways.graph_session import GRAPH
from sync_setup.gateways.identifiers import KeyId

_METADATA = ("customKeyIdentifier", "keyId", "startDateTime", "endDateTime", "type", "usage")
_PUBLIC = ("key", "type", "usage", "keyId")


def as_metadata(keys: Sequence[KeyCredential]) -> list[Mapping[str, object]]:
    """The first encoding: as read, without ``key`` and ``displayName``."""
    return [{name: key.raw[name] for name in _METADATA if name in key.raw} for key in keys]


def as_public_keys(keys: Sequence[KeyCredential]) -> list[Mapping[str, object]] | None:
    """The second encoding; None if Graph did not give the public bytes of every entry."""
    if not all(key.raw.get("key") for key in keys):
        return None
    return [{name: key.raw[name] for name in _PUBLIC if name in key.raw} for key in keys]


def is_not_updatable(error: Rejected) -> bool:
    """Whether Graph complains of an entry that was sent back, not of the new one."""
    # GUESS: the code is KeyNotUpdatable; the text is what people posted.
    said = f"{error.detail.get('error_code', '')} {error.detail.get('answer', '')}".lower()
    return "keynotupdatable" in said or "update to existing credential" in said


def new_entry(
    key_id: KeyId,
    certificate_der: bytes,
    display_name: str,
    not_before: datetime,
    not_after: datetime,
) -> Mapping[str, object]:
    """A new entry for a certificate.

    :raises BadInput: the name is not plain ASCII, which breaks every later change of the list.
    :source: https://learn.microsoft.com/graph/api/resources/keycredential
    """
    if not display_name.isascii() or not display_name.isprintable():
        raise BadInput(
            "The name of a key credential must be plain ASCII.",
            remedy="Use letters, digits, spaces, dots and hyphens.",
            code="SSS-INPUT-KEY-NAME",
            field="display_name",
        )
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        # GUESS: a keyId sent with a new entry is kept.
        "keyId": key_id,
        "key": base64.b64encode(certificate_der).decode(),
        "displayName": display_name,
        "startDateTime": _instant(not_before),
        "endDateTime": _instant(not_after),
    }


def refuse_other_certificate(
    keys: Sequence[KeyCredential], key_id: KeyId, certificate_der: bytes
) -> None:
    """Make sure that the entry with this id is this certificate's.

    :raises Conflict: it is another's.
    """
    for key in keys:
        if key.key_id == key_id and key.certificate_der not in (None, certificate_der):
            raise Conflict(
                "The id of the new key credential is taken by another certificate.",
                remedy="Look at the principal's key credentials, then make a new plan.",
                code=GRAPH.code("KEY-ID-TAKEN"),
                system=GRAPH.system,
                detail={"key_id": key_id},
            )


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a certificate's dates are UTC and say so")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
