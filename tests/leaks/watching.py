"""What only exists while the portal runs: process arguments, environments, short-lived files, messages."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY_S = 0.02


class Watcher:
    """Looks every 20 ms at some processes with all their children, and at some folders.

    :param roots: gives the process ids to begin with, each time.
    :ivar arguments, environments: of every process seen, by its id and program.
    :ivar files: contents of every file seen, by path; a file that grows is read again.
    """

    def __init__(self, roots: Callable[[], Iterable[int]], folders: Iterable[Path]) -> None:
        self._roots, self._folders = roots, list(folders)
        self.arguments: set[bytes] = set()
        self.environments: set[bytes] = set()
        self.files: dict[tuple[str, int], bytes] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            for pid in _with_children(self._roots()):
                self.arguments.add(_read(Path(f"/proc/{pid}/cmdline")))
                self.environments.add(_read(Path(f"/proc/{pid}/environ")))
            for folder in self._folders:
                for path in folder.rglob("*"):
                    self._look_at(path)

    def _look_at(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            status = path.lstat()
            if path.is_file() and (key := (str(path), status.st_mtime_ns)) not in self.files:
                # A file that is gone by now leaves at least its name.
                self.files[key] = _read(path)


def _with_children(roots: Iterable[int]) -> list[int]:
    found = list(roots)
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in _read(children).split()]
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


class RedisMonitor:
    """Everything that any client says to a Redis, from its own MONITOR command."""

    def __init__(self, url: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(url.removeprefix("redis+socket://"))
        self._socket.sendall(b"MONITOR\r\n")
        self.heard = bytearray(self._socket.recv(64))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()

    def _listen(self) -> None:
        while piece := self._socket.recv(65536):
            self.heard += piece


def monitor() -> RedisMonitor | None:
    """The monitor of the broker, where that is a Redis."""
    url = os.environ.get("REDIS_URL")
    return RedisMonitor(url) if url else None
