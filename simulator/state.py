"""The one world that all simulated systems share, and how it is kept on disk."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from simulator.adfs.state import Farm
from simulator.crm_servers.accounts import Account
from simulator.deployment import Deployment
from simulator.dynamics.database import Database
from simulator.entra.state import Tenant
from simulator.json_state import from_json, to_json

SAVE_EVERY_S = 0.2


@dataclass
class World:
    """Everything that is true in the simulation.

    ``tenants`` (Entra ID with Exchange Online), ``farms`` (AD FS), ``accounts`` (Windows accounts of
    the company's domain), ``deployment`` (CRM servers and their configuration database) and
    ``databases`` (the organization databases behind the Web API, by unique name). Whoever reads or changes anything holds ``lock``; whoever changed something
    calls ``changed()`` before giving it back.
    """

    seed: int
    made_at: str
    tenants: list[Tenant]
    farms: list[Farm]
    accounts: list[Account]
    deployment: Deployment
    databases: dict[str, Database] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.on_change: Callable[[bool], None] = lambda whole: None

    def changed(self) -> None:
        """Tell the saver that something outside the organization databases is new."""
        self.on_change(True)

    def records_changed(self) -> None:
        """Tell the saver that records of an organization database are new."""
        self.on_change(False)

    def tenant(self, name: str) -> Tenant | None:
        """The tenant with this id or verified domain."""
        wanted = name.lower()
        return next((t for t in self.tenants if wanted in (t.id, *t.domains)), None)


class Store:
    """Keeps a world in a folder: ``world.json`` and, record by record, ``records.sqlite3``.

    Saving happens on a thread of its own, at most five times a second (less often where saving takes
    long), and on close; a change of one record among ten thousand costs one row. ``world.json`` is
    replaced atomically.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "world.json"
        self._records_file = folder / "records.sqlite3"
        self._wake = threading.Event()
        self._whole_is_new = True
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def clear(self) -> None:
        """Forget the kept world."""
        for file in (self._file, self._records_file):
            file.unlink(missing_ok=True)

    def load(self) -> World | None:
        """The kept world, or None."""
        if not self._file.exists():
            return None
        data = json.loads(self._file.read_text(encoding="utf-8"))
        names = data.pop("databases")
        world = cast(World, from_json(World, data))
        world.databases = {name: Database() for name in names}
        with contextlib.closing(self._connect()) as records:
            for organization, entity, record_id, attributes in records.execute(SELECT):
                record = json.loads(attributes)
                database = world.databases[organization]
                database.table(entity)[record_id] = record
                database.version = max(database.version, record["versionnumber"])
        return world

    def keep(self, world: World) -> None:
        """Save now, and from now on whenever the world changes."""
        self._world = world
        self._whole_is_new = True
        self.save()
        world.on_change = self._on_change
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
            self._thread.start()

    def save(self) -> None:
        """Write what is new."""
        with self._world.lock:
            whole = self._whole() if self._whole_is_new else None
            self._whole_is_new = False
            kept, gone = self._records()
        if kept or gone:
            with contextlib.closing(self._connect()) as records, records:
                records.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", kept)
                records.executemany(DELETE, gone)
        if whole is not None:
            draft = self._file.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
            draft.replace(self._file)

    def close(self) -> None:
        """Save the last changes and stop."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.save()

    def _on_change(self, whole: bool) -> None:
        self._whole_is_new = self._whole_is_new or whole
        self._wake.set()

    def _whole(self) -> dict[str, object]:
        without_records = dataclasses.replace(self._world, databases={})
        whole = cast(dict[str, object], to_json(without_records))
        return whole | {"databases": list(self._world.databases)}

    def _records(self) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        kept: list[tuple[str, ...]] = []
        gone: list[tuple[str, ...]] = []
        for name, database in self._world.databases.items():
            for entity, key in database.take_dirty():
                record = database.table(entity).get(key)
                if record is None:
                    gone.append((name, entity, key))
                else:
                    kept.append((name, entity, key, json.dumps(record, ensure_ascii=False)))
        return kept, gone

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            started = time.monotonic()
            self.save()
            self._closing.wait(max(SAVE_EVERY_S, 10 * (time.monotonic() - started)))

    def _connect(self) -> sqlite3.Connection:
        records = sqlite3.connect(self._records_file)
        # The kept world is a convenience of a second start; no test depends on its last instant.
        records.execute("PRAGMA synchronous = OFF")
        records.execute(CREATE)
        return records


CREATE = (
    "CREATE TABLE IF NOT EXISTS record (organization TEXT, entity TEXT, id TEXT, attributes TEXT,"
    " PRIMARY KEY (organization, entity, id))"
)
SELECT = "SELECT organization, entity, id, attributes FROM record ORDER BY rowid"
DELETE = "DELETE FROM record WHERE organization = ? AND entity = ? AND id = ?"
