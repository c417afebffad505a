"""The database of one CRM organization: records by table, versioned, with their dirty marks."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.ledger import instant

Record = dict[str, object]
"""Attributes by logical name as the Web API writes them; a lookup is ``_name_value`` (a GUID)."""


@dataclass
class Database:
    """Tables by entity name, each with records by id; ``version`` counts every write."""

    tables: dict[str, dict[str, Record]] = field(default_factory=dict)
    version: int = 1_000_000

    def __post_init__(self) -> None:
        self._dirty: set[tuple[str, str]] = set()
        self._undo: list[tuple[str, str, Record | None]] | None = None

    def table(self, entity: str) -> dict[str, Record]:
        return self.tables.setdefault(entity, {})

    def find(self, entity: str, record_id: str) -> Record | None:
        return self.table(entity).get(record_id.lower())

    def touch(self, entity: str, record: Record, record_id: str) -> None:
        """Store a record under the next version number; a changed one is a new dict, never the old."""
        self._remember(entity, record_id)
        self.version += 1
        record["versionnumber"] = self.version
        record["modifiedon"] = instant()[:-5] + "Z"
        self.table(entity)[record_id] = record
        self._dirty.add((entity, record_id))

    def delete(self, entity: str, record_id: str) -> None:
        """Take a record out; a rollback brings it back.

        :raises KeyError: when there is no such record.
        """
        self._remember(entity, record_id)
        self.version += 1
        del self.table(entity)[record_id]
        self._dirty.add((entity, record_id))

    def begin(self) -> None:
        """Remember what records were, until ``commit`` or ``rollback``."""
        self._undo = []

    def commit(self) -> None:
        self._undo = None

    def rollback(self) -> None:
        """Put every record touched since ``begin`` back as it was."""
        undo, self._undo = self._undo or [], None
        for entity, record_id, record in reversed(undo):
            if record is None:
                self.table(entity).pop(record_id, None)
            else:
                self.table(entity)[record_id] = record
            self._dirty.add((entity, record_id))

    def _remember(self, entity: str, record_id: str) -> None:
        if self._undo is not None:
            self._undo.append((entity, record_id, self.table(entity).get(record_id)))

    def take_dirty(self) -> set[tuple[str, str]]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return dirty
