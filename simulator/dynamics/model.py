"""What records look like: metadata of 8.x, and the rules of the version 9 entity reference."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from simulator.dynamics.errors import DynamicsError, unknown_property
from simulator.metadata import dynamics_metadata, dynamics_rules
from simulator.odata.csdl import EntityType, Navigation, Property


class Entity:
    """One entity: its metadata and its rules."""

    def __init__(self, kind: EntityType) -> None:
        self.kind, self.name, self.set_name = kind, kind.name, kind.set_name
        own_id = f"{kind.name}id"
        # A user is keyed by ownerid in the metadata, but addressed by systemuserid.
        self.id_name = own_id if own_id in kind.properties else kind.key
        self.rules: dict[str, Any] = dynamics_rules().get(kind.name, {})
        self.name_attribute: str = self.rules.get("primary_name", "name")
        self.options: dict[str, dict[str, str]] = self.rules.get("options", {})

    @cached_property
    def unreadable(self) -> frozenset[str]:
        return frozenset(self.rules.get("not_readable", ()))

    @cached_property
    def fixed_on_create(self) -> frozenset[str]:
        return self._read_only | frozenset(self.rules.get("no_create", ()))

    @cached_property
    def fixed_on_update(self) -> frozenset[str]:
        return self._read_only | frozenset(self.rules.get("no_update", ()))

    @cached_property
    def _read_only(self) -> frozenset[str]:
        annotated = {p.name for p in self.kind.properties.values() if p.is_read_only}
        return frozenset(annotated | set(self.rules.get("read_only", ())))

    @property
    def lookups(self) -> dict[str, Navigation]:
        """Single-valued navigation properties that have a lookup, by their own name."""
        navigations = self.kind.navigations.values()
        return {n.name: n for n in navigations if n.lookup and not n.is_collection}

    def property(self, name: str) -> Property:
        """The readable property of this name.

        :raises DynamicsError: there is none.
        """
        found = self.kind.properties.get(name)
        if found is None or name in self.unreadable:
            raise unknown_property(name, self.name)
        return found

    def readable(self) -> list[str]:
        """Names of everything that can be read."""
        return [name for name in self.kind.properties if name not in self.unreadable]


class Model:
    """All entities, by entity set and by name."""

    def __init__(self) -> None:
        kinds = list(dynamics_metadata().sets.values())
        self.by_name = {kind.name: Entity(kind) for kind in kinds}
        self.by_set = {entity.set_name: entity for entity in self.by_name.values()}

    def entity(self, set_name: str) -> Entity:
        """The entity behind an entity set.

        :raises DynamicsError: 404, as the real service says it.
        """
        found = self.by_set.get(set_name)
        if found is None:
            text = f"Resource not found for the segment '{set_name}'."
            raise DynamicsError(404, "0x8006088a", text)
        return found
