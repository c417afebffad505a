"""Metadata documents (CSDL): entity types with their properties and navigation."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
READ_ONLY = "Org.OData.Core.V1.PermissionType/Read"


@dataclass(frozen=True)
class Property:
    """A property; ``type`` without ``Collection()``, such as Edm.Int32 or keyCredential."""

    name: str
    type: str
    is_collection: bool
    is_read_only: bool


@dataclass(frozen=True)
class Navigation:
    """A navigation property; ``lookup`` is the property that holds its id, empty for collections."""

    name: str
    target: str
    is_collection: bool
    partner: str
    lookup: str


@dataclass
class EntityType:
    """An entity or complex type with everything inherited; ``set_name`` is its entity set."""

    name: str
    key: str
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, Navigation] = field(default_factory=dict)
    set_name: str = ""


class Metadata:
    """One parsed metadata document."""

    def __init__(self, file: Path) -> None:
        self.text = file.read_bytes()
        root = ET.fromstring(self.text)  # noqa: S314 - the project's own file
        schema = root.find(f".//{EDM}Schema")
        if schema is None:
            raise ValueError(f"{file.name} holds no schema")
        self.namespace = schema.get("Namespace", "")
        self.types: dict[str, EntityType] = {}
        kinds = (f"{EDM}EntityType", f"{EDM}ComplexType")
        elements = {e.get("Name", ""): e for e in schema if e.tag in kinds}
        for name in elements:
            self._read(name, elements)
        for entity_set in schema.iter(f"{EDM}EntitySet"):
            name = _bare(entity_set.get("EntityType", ""))
            self.types[name].set_name = entity_set.get("Name", "")
        self.sets = {kind.set_name: kind for kind in self.types.values() if kind.set_name}

    def _read(self, name: str, elements: dict[str, ET.Element]) -> EntityType:
        """The type of this name; what it inherits from is read first, wherever it stands."""
        if name in self.types:
            return self.types[name]
        element = elements[name]
        key = element.find(f"{EDM}Key/{EDM}PropertyRef")
        base_name = _bare(element.get("BaseType", ""))
        base = self._read(base_name, elements) if base_name in elements else None
        kind = EntityType(element.get("Name", ""), base.key if base else "")
        if base:
            kind.properties |= base.properties
            kind.navigations |= base.navigations
        for item in element.iter(f"{EDM}Property"):
            read = _property(item)
            kind.properties[read.name] = read
        for item in element.iter(f"{EDM}NavigationProperty"):
            navigation = _navigation(item)
            kind.navigations[navigation.name] = navigation
        if key is not None:
            kind.key = key.get("Name", "")
        self.types[name] = kind
        return kind


def _property(element: ET.Element) -> Property:
    declared = element.get("Type", "")
    members = [member.text for member in element.iter(f"{EDM}EnumMember")]
    is_collection = declared.startswith("Collection(")
    inner = declared.removeprefix("Collection(").removesuffix(")")
    bare = inner if inner.startswith("Edm.") else _bare(inner)
    return Property(element.get("Name", ""), bare, is_collection, READ_ONLY in members)


def _navigation(element: ET.Element) -> Navigation:
    declared = element.get("Type", "")
    constraint = element.find(f"{EDM}ReferentialConstraint")
    return Navigation(
        element.get("Name", ""),
        _bare(declared.removeprefix("Collection(").removesuffix(")")),
        declared.startswith("Collection("),
        element.get("Partner", ""),
        constraint.get("Property", "") if constraint is not None else "",
    )


def _bare(name: str) -> str:
    return name.rpartition(".")[2]
