"""The names that an organization's own $metadata knows: versions differ, and so do organizations."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Collection
from dataclasses import dataclass

from sync_setup.gateways.failures import Origin, garbled

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@dataclass(frozen=True)
class EntityNames:
    """What one entity has.

    :ivar navigations: single-valued and collection-valued navigation properties.
    """

    properties: frozenset[str]
    navigations: frozenset[str]


def read_metadata(
    origin: Origin, document: bytes, entities: Collection[str]
) -> dict[str, EntityNames]:
    """Read the names of some entities; those that are not there are left out.

    :raises Garbled: not XML, or XML with a document type, which metadata never has.
    """
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise garbled(origin, "its metadata has a document type")
    try:
        root = ET.fromstring(document)  # noqa: S314 - no document type, so no entities
    except ET.ParseError as error:
        raise garbled(origin, "its metadata is not XML") from error
    return {
        name: EntityNames(_names(entity, "Property"), _names(entity, "NavigationProperty"))
        for entity in root.iter(f"{_EDM}EntityType")
        if (name := entity.get("Name", "")) in entities
    }


def fingerprint(names: dict[str, EntityNames]) -> str:
    """A short hash of the names, to see that an organization was upgraded."""
    lines = [
        f"{entity}.{name}"
        for entity, found in names.items()
        for name in found.properties | found.navigations
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _names(entity: ET.Element, kind: str) -> frozenset[str]:
    return frozenset(child.get("Name", "") for child in entity.findall(f"{_EDM}{kind}"))
