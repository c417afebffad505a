"""Run the child process: its own process group, an empty environment, a wall clock, two at a time.

``posix_spawn`` instead of ``subprocess``: it puts the password on descriptor 3 without a fork of
this process's threads, and it waits by ``poll``, which lets other greenlets go on.
"""

from __future__ import annotations

import compileall
import datetime as dt
import fcntl
import functools
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.errors import PortalError

WALL_S = 8.0
PATIENCE_S = 30.0
"""How long to wait for one of the two places."""

_FOLDER = Path(__file__).parent
_CHILD = _FOLDER / "child" / "main.py"
_PLACES = (_FOLDER / "place-1.lock", _FOLDER / "place-2.lock")
_LARGEST_ANSWER = 1024 * 1024
_SECRETS, _PLACE = 3, 4


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    :ivar answer: what it wrote; empty if it was stopped or broke down.
    :ivar seconds: from spawn to end.
    :ivar signal: number of the signal that ended it; 0 if it ended itself or nobody knows.
    """

    answer: bytes
    seconds: float
    signal: int = 0


def ask_child(
    question: str,
    at: dt.datetime,
    data: bytes,
    secrets: Mapping[str, str],
    *,
    wall_s: float = WALL_S,
) -> Ended:
    """Put one question to a fresh child.

    :param question: ``pfx``, ``public``, ``either`` or ``rewrap``.
    :param secrets: the password and its like; never argument, environment or file.
    :raises PortalError: both places stayed taken (SSS-INSPECTION-BUSY).
    """
    _compile_once()
    return run_script(_CHILD, [question, at.isoformat()], data, json.dumps(secrets), wall_s=wall_s)


def run_script(
    script: Path, arguments: list[str], data: bytes, secrets: str, *, wall_s: float = WALL_S
) -> Ended:
    """Run one isolated Python script: data on standard input, secrets on descriptor 3.

    :raises PortalError: both places stayed taken (SSS-INSPECTION-BUSY).
    """
    with _place() as place, ExitStack() as ours:
        with ExitStack() as childs:
            reading, writing = os.pipe()
            answer = _high(ours, reading)
            descriptors = (
                (_in_memory(childs, data), 0),
                (_high(childs, writing), 1),
                (_high(childs, os.open(os.devnull, os.O_WRONLY)), 2),
                (_in_memory(childs, secrets.encode("utf-8", "surrogateescape")), _SECRETS),
                (place, _PLACE),
            )
            started = time.monotonic()
            pid = _spawn([sys.executable, "-I", str(script), *arguments], descriptors)
        try:
            said, is_whole = _read_until(answer, started + wall_s)
        finally:
            ended_by = _end(pid)
    seconds = time.monotonic() - started
    return Ended(said if is_whole else b"", seconds, 0 if is_whole and said else ended_by)


def _spawn(command: list[str], descriptors: tuple[tuple[int, int], ...]) -> int:
    return os.posix_spawn(
        command[0],
        command,
        {},
        file_actions=[(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in descriptors],
        setpgroup=0,
        setsigmask=[],
        setsigdef=[signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM, signal.SIGINT],
    )


def _read_until(descriptor: int, deadline: float) -> tuple[bytes, bool]:
    """What the child says, and whether it had said everything by then."""
    said = bytearray()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while len(said) <= _LARGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            return bytes(said), False
        piece = os.read(descriptor, 65536)
        if not piece:
            return bytes(said), True
        said += piece
    return bytes(said), False


def _end(pid: int) -> int:
    """Kill the whole group, whatever is left of it, and collect the child."""
    try:
        os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        # gevent's event loop collects every child itself and may have been faster.
        return 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@contextmanager
def _place() -> Iterator[int]:
    """One of the host's two places, given back by the kernel even if this process is killed.

    The child holds it too, so a child that outlives its parent still counts.
    """
    with ExitStack() as stack:
        places = [_high(stack, os.open(path, os.O_RDONLY)) for path in _PLACES]
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for place in places:
                try:
                    fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield place
                return
            time.sleep(0.02)
    raise PortalError(
        "Two certificates are being inspected on this host already.",
        remedy="Wait half a minute, then try again.",
        code="SSS-INSPECTION-BUSY",
    )


def _in_memory(stack: ExitStack, data: bytes) -> int:
    """A descriptor from which ``data`` can be read; it is never on a disk."""
    descriptor = _high(stack, os.memfd_create("question"))
    with open(descriptor, "wb", closefd=False) as memory:
        memory.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _high(stack: ExitStack, descriptor: int) -> int:
    """The descriptor moved clear of the numbers that the child uses, and closed in the end."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    stack.callback(os.close, moved)
    return moved


@functools.cache
def _compile_once() -> None:
    """The child may not write files, so its bytecode is made here, once; a read-only tree does without."""
    compileall.compile_dir(_CHILD.parent, quiet=2)
    compileall.compile_file(_FOLDER / "forms.py", quiet=2)
