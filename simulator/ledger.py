"""The ledger: one line for every effect on the simulated world, the oracle of the tests."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO


class Ledger:
    """Every effect in the order in which it happened, kept in memory and appended to a file.

    An effect is a change of the simulated world: a read, a refused request and a request that only
    says again what is already so are none. Each line is flushed before the effect is answered, so a
    killed simulator loses no line of what it has confirmed.

    Fields of an entry: ``seq`` (1, 2, …), ``at`` (UTC, ISO 8601 with milliseconds and ``Z``),
    ``system`` (``graph``, ``entra``, ``adfs2019``, ``adfs2016``, ``crm``, ``winrm:CRM-APP01`` …), ``effect`` (a dotted
    name such as ``servicePrincipal.keyCredentials``), ``target`` (what changed), ``caller`` (whose
    credential asked), ``before`` and ``after`` (JSON values), and whatever a system adds, such as
    ``operation_id``. No secret is ever written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: list[dict[str, object]] = []
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            self._entries = [json.loads(line) for line in lines if line.endswith("}")]
            if len(self._entries) != len(lines):
                # A kill in the middle of a write leaves half a line; the next one must not join it.
                self._rewrite()
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def record(
        self,
        system: str,
        effect: str,
        target: str,
        caller: str,
        before: object,
        after: object,
        **more: object,
    ) -> dict[str, object]:
        """Append one effect and return its entry. Call it while holding the world's lock."""
        with self._lock:
            entry: dict[str, object] = {
                "seq": len(self._entries) + 1,
                "at": instant(),
                "system": system,
                "effect": effect,
                "target": target,
                "caller": caller,
                "before": before,
                "after": after,
                **more,
            }
            line = json.dumps(entry, ensure_ascii=False, default=str)
            # What is kept in memory is what is in the file: later changes of `after` must not show.
            self._entries.append(json.loads(line))
            self._file.write(line + "\n")
            self._file.flush()
            return entry

    def entries(self, since: int = 0) -> list[Mapping[str, object]]:
        """Entries with ``seq`` greater than ``since``, oldest first."""
        with self._lock:
            return list(self._entries[since:])

    def clear(self) -> None:
        """Begin again with ``seq`` 1 and an empty file."""
        with self._lock:
            self._entries = []
            self._file.close()
            self._file = self._path.open("w", encoding="utf-8")

    def close(self) -> None:
        """Close the file; nothing may be recorded afterwards."""
        with self._lock:
            self._file.close()

    def _rewrite(self) -> None:
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in self._entries]
        self._path.write_text("".join(lines), encoding="utf-8")


def instant(moment: datetime.datetime | None = None) -> str:
    """A moment (default: now) as UTC ISO 8601 with milliseconds, ``2026-11-23T08:15:00.123Z``."""
    moment = moment or datetime.datetime.now(datetime.UTC)
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
