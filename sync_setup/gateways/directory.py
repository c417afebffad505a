"""What Microsoft Graph tells of a tenant, as frozen records."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync_setup.gateways.identifiers import (
    THUMBPRINT,
    AppId,
    KeyId,
    ServicePrincipalId,
    Sha256,
    TenantId,
    Thumbprint,
)

HYBRID_CONNECTOR_SKU = "CRM_HYBRIDCONNECTOR"


@dataclass(frozen=True)
class Domain:
    """A verified domain of a tenant."""

    name: str
    is_default: bool
    is_initial: bool


@dataclass(frozen=True)
class Tenant:
    """The tenant that a token is for."""

    id: TenantId
    display_name: str
    domains: tuple[Domain, ...]
    tenant_type: str
    on_premises_sync_enabled: bool

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Tenant:
        """Read an ``organization`` of Graph."""
        domains = row.get("verifiedDomains") or []
        return cls(
            id=TenantId(str(row["id"]).lower()),
            display_name=str(row.get("displayName") or ""),
            domains=tuple(
                Domain(str(d["name"]), bool(d.get("isDefault")), bool(d.get("isInitial")))
                for d in domains
            ),
            tenant_type=str(row.get("tenantType") or ""),
            on_premises_sync_enabled=bool(row.get("onPremisesSyncEnabled")),
        )


@dataclass(frozen=True)
class Sku:
    """A licence of the tenant; it counts only while ``capability_status`` is Enabled."""

    id: str
    part_number: str
    capability_status: str
    enabled_units: int
    consumed_units: int
    service_plans: tuple[str, ...]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Sku:
        """Read a ``subscribedSku`` of Graph."""
        units = row.get("prepaidUnits") or {}
        return cls(
            id=str(row.get("skuId") or "").lower(),
            part_number=str(row.get("skuPartNumber") or ""),
            capability_status=str(row.get("capabilityStatus") or ""),
            enabled_units=int(units.get("enabled") or 0),
            consumed_units=int(row.get("consumedUnits") or 0),
            service_plans=tuple(
                str(plan.get("servicePlanName") or "") for plan in row.get("servicePlans") or []
            ),
        )


@dataclass(frozen=True)
class ServicePrincipal:
    """An application's principal in the tenant."""

    id: ServicePrincipalId
    app_id: AppId
    display_name: str
    account_enabled: bool
    names: tuple[str, ...]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> ServicePrincipal:
        """Read a ``servicePrincipal`` of Graph."""
        return cls(
            id=ServicePrincipalId(str(row["id"]).lower()),
            app_id=AppId(str(row.get("appId") or "").lower()),
            display_name=str(row.get("displayName") or ""),
            # Graph leaves the field out of some answers; only a plain false means disabled.
            account_enabled=row.get("accountEnabled") is not False,
            names=tuple(str(name) for name in row.get("servicePrincipalNames") or []),
        )


@dataclass(frozen=True)
class KeyCredential:
    """A public key by which a principal is recognised.

    :ivar thumbprint: SHA-1 of the certificate, from ``customKeyIdentifier`` or the key itself; None
        where neither tells.
    :ivar sha256: of the certificate; None where Graph gave no ``key``.
    :ivar certificate_der: the public certificate; None where Graph gave no ``key``.
    :ivar raw: the entry as Graph gave it, for sending it back.
    """

    key_id: KeyId
    type: str
    usage: str
    display_name: str
    starts_at: datetime | None
    ends_at: datetime | None
    thumbprint: Thumbprint | None
    sha256: Sha256 | None
    certificate_der: bytes | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> KeyCredential:
        """Read a ``keyCredential`` of Graph, as a GET of a single object gives it."""
        der = _bytes(row.get("key"))
        sha1 = hashlib.sha1(der).hexdigest().upper() if der else ""  # noqa: S324 - thumbprints are SHA-1
        return cls(
            key_id=KeyId(str(row["keyId"]).lower()),
            type=str(row.get("type") or ""),
            usage=str(row.get("usage") or ""),
            display_name=str(row.get("displayName") or ""),
            starts_at=_moment(row.get("startDateTime")),
            ends_at=_moment(row.get("endDateTime")),
            thumbprint=Thumbprint(sha1) if sha1 else key_identifier(row.get("customKeyIdentifier")),
            sha256=Sha256(hashlib.sha256(der).hexdigest().upper()) if der else None,
            certificate_der=der,
            raw=dict(row),
        )


def key_identifier(value: object) -> Thumbprint | None:
    """Read ``customKeyIdentifier``: 40 hex digits or base64, of the thumbprint or of its hex text.

    None where somebody put something else there, which they may.
    """
    if not isinstance(value, str):
        return None
    if THUMBPRINT.fullmatch(value.upper()):
        return Thumbprint(value.upper())
    data = _bytes(value) or b""
    if len(data) == 20:
        return Thumbprint(data.hex().upper())
    text = data.decode("ascii", "replace").upper()
    return Thumbprint(text) if THUMBPRINT.fullmatch(text) else None


def _bytes(value: object) -> bytes | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
