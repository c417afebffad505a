"""Runs where the inspector runs and does what a hijacked inspector might do."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from sync_setup.inspection.child.limits import enter_cage


def spin() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (1, 5))
    while True:
        pass


def swallow() -> dict[str, Any]:
    try:
        return {"got": len(bytearray(600 * 1024 * 1024))}
    except MemoryError:
        return {"refused": True}


def write() -> dict[str, Any]:
    try:
        Path(sys.argv[2]).write_bytes(b"x")
    except OSError as error:
        return {"refused": error.strerror}
    return {"size": Path(sys.argv[2]).stat().st_size}


def tell() -> dict[str, Any]:
    limits = ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NPROC")
    return {
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in limits},
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "descriptors": [number for number in range(1024) if _is_open(number)],
        "standard input": sys.stdin.buffer.read().decode(),
        "secrets": os.fdopen(3).read(),
        "group": os.getpgid(0) == os.getpid(),
        "foreign modules": sorted({"django", "celery", "portal"} & set(sys.modules)),
    }


def rest() -> dict[str, Any]:
    started = time.monotonic()
    time.sleep(float(sys.argv[2]))
    return {"from": started, "to": time.monotonic()}


def network() -> dict[str, Any]:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=2).close()
    except OSError as error:
        return {"refused": error.strerror}
    return {"reached": True}


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


enter_cage()
deeds = {
    "spin": spin,
    "swallow": swallow,
    "write": write,
    "tell": tell,
    "rest": rest,
    "network": network,
}
sys.stdout.write(json.dumps(deeds[sys.argv[1]]()))
