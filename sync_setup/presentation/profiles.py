"""Email server profiles in words: every field with its label, as it is and as a setup would make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.jobs.states import Look
from sync_setup.server_profiles import (
    ACTIVE,
    COMPARED,
    EXCHANGE_ONLINE_HYBRID,
    LABELS,
    OWNER,
    RECEIVED_AFTER,
    STATE,
    wanted,
)

# Option sets of emailserverprofile.
# Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/emailserverprofile
SERVER_TYPES = {
    0: "Exchange Server",
    1: "Other (POP3/SMTP)",
    2: "Exchange Server (Hybrid)",
    3: "Exchange Online (Hybrid)",
}
RETRIEVAL = {
    0: "Credentials specified by a user or queue",
    1: "Credentials specified in email server profile",
    2: "Server to server authentication",
    3: "Windows integrated authentication",
    4: "Without credentials (anonymous)",
}
OPTIONS: Mapping[str, Mapping[int, str]] = {
    "servertype": SERVER_TYPES,
    "incomingcredentialretrieval": RETRIEVAL,
    "outgoingcredentialretrieval": RETRIEVAL,
    STATE: {0: "Active", 1: "Inactive"},
}
# Whose alerts they are, and from when mail counts, is each profile's own.
OWN = (OWNER, RECEIVED_AFTER)


@dataclass(frozen=True)
class FieldRow:
    """One field: as last read, and as a setup would make it.

    :param standard: None where every value is right.
    """

    name: str
    label: str
    now: str
    standard: str | None
    differs: bool


@dataclass(frozen=True)
class ProfileShown:
    """A profile with its fields; ``differing`` counts those that a setup would change."""

    rows: tuple[FieldRow, ...]
    kind: str
    is_hybrid: bool
    is_active: bool

    @property
    def differing(self) -> int:
        return sum(row.differs for row in self.rows)

    @property
    def look(self) -> Look:
        if not self.is_active:
            return Look("Inactive", "grey", "slash")
        return Look("Active", "green", "check")

    @property
    def standard_look(self) -> Look:
        if not self.is_hybrid:
            return Look("Another kind", "grey", "slash")
        if self.differing:
            return Look(f"{self.differing} differ", "amber", "warn")
        return Look("As a setup makes it", "green", "check")


def profile_of(fields: Mapping[str, Any], ews_url: str) -> ProfileShown:
    """Write a profile's fields beside those of the standard.

    :param ews_url: of the organization's cloud.
    """
    server_type = fields.get("servertype")
    hybrid = server_type == EXCHANGE_ONLINE_HYBRID
    standard = standard_of(fields, ews_url) if hybrid else {}
    return ProfileShown(
        rows=tuple(_row(name, fields.get(name), standard) for name in COMPARED),
        kind=SERVER_TYPES.get(server_type, "unknown")
        if isinstance(server_type, int)
        else "unknown",
        is_hybrid=hybrid,
        is_active=fields.get(STATE) == ACTIVE,
    )


def standard_of(fields: Mapping[str, Any], ews_url: str) -> dict[str, Any]:
    """Give the fields as a setup would make them; name, owner and start of mail stay the profile's own."""
    return wanted(
        fields,
        name=str(fields.get("name") or ""),
        ews_url=ews_url,
        owner=str(fields.get(OWNER) or ""),
        received_after=str(fields.get(RECEIVED_AFTER) or ""),
    )


def _row(name: str, now: Any, standard: Mapping[str, Any]) -> FieldRow:
    compares = name in standard and name not in OWN
    return FieldRow(
        name=name,
        label=LABELS[name],
        now=field_words(name, now),
        standard=field_words(name, standard[name]) if compares else None,
        differs=compares and standard[name] != now,
    )


def field_words(name: str, value: Any) -> str:
    """Write one value as Dynamics' own pages do."""
    match value:
        case None | "":
            return "not set"
        case bool():
            return "Yes" if value else "No"
        case int() if name in OPTIONS:
            return OPTIONS[name].get(value, str(value))
    return str(value)


def changes_of(values: Mapping[str, Any], fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Write what a draft changes: label, value now, value wanted."""
    return [
        (LABELS[name], field_words(name, fields.get(name)), field_words(name, value))
        for name, value in values.items()
    ]
