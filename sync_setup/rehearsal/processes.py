"""Start and stop what a rehearsal or demo consists of: simulator, worker, web, each a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.conf import settings

from portal.errors import Unreachable

ROOT = Path(settings.BASE_DIR)
START_S = 30.0
STOP_S = 60.0


class Processes:
    """Children of this process, stopped in reverse order when the block ends.

    :param folder: where their logs go.
    :param settings: environment variables for all of them, on top of this process's.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = dict(settings or {})
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        # What was started and is not known to be at work: name, log, the sign to look for in it.
        self._starting: list[tuple[str, Path, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def simulator(
        self, state: Path, *, port: int = 0, control: bool = False, seed: int = 1
    ) -> dict[str, Any]:
        """Start the simulator and wait until everything listens.

        :param port: first of its ports; 0: any free ones.
        :return: its addresses, demo people, sample files and credentials.
        """
        addresses = state / "addresses.json"
        addresses.unlink(missing_ok=True)
        options = ["--state", str(state), "--port", str(port), "--seed", str(seed)]
        self.start(
            "simulator", ["-m", "simulator", *options, *(["--control"] if control else [])], {}
        )
        self.wait(addresses.exists, "simulator")
        return dict(json.loads(addresses.read_text(encoding="utf-8")))

    def worker(self, *, concurrency: int) -> None:
        """Start a Celery worker with its watch; it alone gets the opening key. ``ready`` waits for it."""
        log = self.start(
            "worker",
            [
                *("-m", "celery", "-A", "portal", "worker", "-Q", "sss", "-c", str(concurrency)),
                *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
                "--without-heartbeat",
            ],
            {"PORTAL_ROLE": "worker", "OPENING_KEY_FILE": opening_key_file()},
        )
        self._starting.append(("worker", log, " ready."))

    def web(self, *, port: int) -> None:
        """Start the web server; ``ready`` waits for it."""
        log = self.start(
            "web",
            [
                *("-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "gevent", "--workers", "1", "--graceful-timeout", "5"),
            ],
            {"PORTAL_ROLE": "web"},
        )
        self._starting.append(("web", log, "Booting worker"))

    def ready(self) -> None:
        """Wait until everything that was started is at work.

        :raises Unreachable: when one of them did not start; names its log.
        """
        for name, log, sign in self._starting:
            self.wait(lambda log=log, sign=sign: sign in log.read_text(errors="replace"), name)
        self._starting.clear()

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> Path:
        """Start one Python process.

        :return: its log file.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=_environment() | self.settings | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the terminal's whole group: these are stopped in order instead.
                start_new_session=True,
            )
        self._running.append((name, process))
        return log

    def wait(self, question: Any, name: str) -> None:
        """Wait until the answer is yes.

        :raises Unreachable: when the process ended, or START_S have passed; names its log.
        """
        end = time.monotonic() + START_S
        process = dict(self._running)[name]
        while not question():
            if process.poll() is not None or time.monotonic() > end:
                raise Unreachable(
                    f"The {name} did not start.",
                    remedy=f"Read {self.folder / name}.log",
                    code="SSS-START",
                    system=name,
                )
            time.sleep(0.05)

    def ended(self) -> str | None:
        """Name a process that has ended by itself, or None."""
        return next((name for name, process in self._running if process.poll() is not None), None)

    def stop(self) -> None:
        """Stop all of them, the last first; kill what does not end."""
        for _, process in reversed(self._running):
            process.terminate()
        for _, process in reversed(self._running):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


def opening_key_file() -> str:
    """Give the path of the opening key: beside the sealing key in the embedded way."""
    return settings.OPENING_KEY_FILE or str(
        Path(settings.SEALING_KEY_FILE).with_name("opening.pem")
    )


def _environment() -> dict[str, str]:
    kept = dict(os.environ)
    for name in ("OPENING_KEY_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        kept.pop(name, None)
    return kept
