"""Names for the ids that cross the gateways, so that two GUIDs cannot be swapped unnoticed."""

from __future__ import annotations

import re
import uuid
from typing import NewType

from portal.errors import BadInput

TenantId = NewType("TenantId", str)
AppId = NewType("AppId", str)
ServicePrincipalId = NewType("ServicePrincipalId", str)
KeyId = NewType("KeyId", str)
OrganizationId = NewType("OrganizationId", str)
RecordId = NewType("RecordId", str)
ProfileId = NewType("ProfileId", RecordId)
MailboxId = NewType("MailboxId", RecordId)
OperationId = NewType("OperationId", str)
Thumbprint = NewType("Thumbprint", str)
Sha256 = NewType("Sha256", str)

CRM_APP_ID = AppId("00000007-0000-0000-c000-000000000000")
"""Dynamics CRM on-premises, as every tenant with the Hybrid Connector knows it."""

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
THUMBPRINT = re.compile(r"[0-9A-F]{40}")
SHA256 = re.compile(r"[0-9A-F]{64}")


def guid(text: str, *, field: str = "") -> str:
    """Read a GUID in any of its usual spellings and give it with hyphens, in lower case.

    :raises BadInput: it is no GUID.
    """
    try:
        # Braces and the urn: prefix are spellings people paste; uuid accepts them all.
        return str(uuid.UUID(text.strip()))
    except (ValueError, AttributeError):
        raise BadInput(
            "This is not an id.",
            remedy="Enter a GUID such as 11111111-2222-3333-4444-555555555555.",
            code="SSS-INPUT-GUID",
            field=field,
        ) from None


def tenant_id(text: str) -> TenantId:
    """Read the id of an Entra tenant.

    :raises BadInput: it is no GUID.
    """
    return TenantId(guid(text, field="tenant_id"))


def thumbprint(text: str) -> Thumbprint:
    """Read a SHA-1 thumbprint as certificate dialogs show it and give 40 upper-case hex digits.

    :raises BadInput: it has not 40 hex digits.
    """
    # The Windows certificate dialog puts spaces between the bytes and U+200E in front.
    digits = re.sub(r"[\s:\u200e]", "", text).upper()
    if not THUMBPRINT.fullmatch(digits):
        raise BadInput(
            "This is not a certificate thumbprint.",
            remedy="Enter the 40 hexadecimal digits that the certificate's details show.",
            code="SSS-INPUT-THUMBPRINT",
            field="thumbprint",
        )
    return Thumbprint(digits)
