"""The list of calls: every request that reached a simulated system, with effect or without."""

from __future__ import annotations

import collections
import threading

from simulator.ledger import instant

KEPT = 50_000


class Calls:
    """The last 50,000 requests: ``seq, at, system, method, path, status, fault, seconds``.

    ``at`` is when the request had arrived whole; ``status`` is 0 where nothing was answered; an operation
    of a batch is a call of its own with ``in_batch``. Neither
    headers nor bodies are kept: they hold secrets.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: collections.deque[dict[str, object]] = collections.deque(maxlen=KEPT)
        self._seq = 0

    def arrived(self, system: str, method: str, path: str) -> dict[str, object]:
        """Add a request; the caller fills in ``status``, ``fault`` and ``seconds`` later."""
        with self._lock:
            self._seq += 1
            call: dict[str, object] = {
                "seq": self._seq,
                "at": instant(),
                "system": system,
                "method": method,
                "path": path,
                "status": None,
                "fault": None,
                "seconds": None,
            }
            self._calls.append(call)
            return call

    def to_json(self) -> list[dict[str, object]]:
        with self._lock:
            return [dict(call) for call in self._calls]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
            self._seq = 0
