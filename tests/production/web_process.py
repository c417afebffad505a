"""A web process as an init system would start it, on a port that the kernel chooses."""

from __future__ import annotations

import re
import sys

from tests.stack import Process, Stack


def start_web(stack: Stack, **settings: str) -> Process:
    """Start gunicorn with the portal; whether it stays is for the caller to see."""
    return stack._start(
        [
            *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", "127.0.0.1:0"),
            *("--worker-class", "gevent", "--workers", "1", "--graceful-timeout", "2"),
        ],
        stack.environment | {"PORTAL_ROLE": "web"} | settings,
        "web",
    )


def address_of(web: Process) -> str:
    """Wait until the process listens and give ``host:port``."""
    web.wait_for("Booting worker")
    found = re.search(r"Listening at: http://(\S+)", web.log)
    assert found, web.log
    return found.group(1)
