"""A web process as an init system would start it, on a port that the kernel chooses."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.stack import ROOT, Process, Stack


def start_web(stack: Stack, *, folder: Path = ROOT, **settings: str) -> Process:
    """Start gunicorn with the portal; whether it stays is for the caller to see.

    :param folder: where the portal's files are.
    """
    log = stack.folder / f"web-{len(stack.processes)}.log"
    process = Process(
        [
            *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--chdir", str(folder)),
            *("--bind", "127.0.0.1:0", "--worker-class", "gevent", "--workers", "1"),
            *("--graceful-timeout", "2", "--no-control-socket"),
        ],
        stack.environment | {"PORTAL_ROLE": "web"} | settings,
        log,
    )
    stack.processes.append(process)
    return process


def address_of(web: Process) -> str:
    """Wait until the process listens and give ``host:port``."""
    web.wait_for("Booting worker")
    found = re.search(r"Listening at: http://(\S+)", web.log)
    assert found, web.log
    return found.group(1)
