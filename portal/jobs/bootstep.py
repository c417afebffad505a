"""Start the watch with the Celery worker, start it again when it dies, end it with the worker."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from typing import Any

from celery import bootsteps

log = logging.getLogger(__name__)
LOOK_S = 1.0
SILENT_S = 15.0  # a watch that says nothing for so long is stuck or stopped
STOP_S = 55.0


class WatchStep(bootsteps.StartStopStep):
    """Keeps ``python -m django watch`` running beside the worker.

    A new process, not a fork: the worker's own threads and connections must not come along. Its
    standard input is a pipe that only this worker holds, so it ends even when the worker is killed.
    On its standard output it beats; one that falls silent is killed and started again.
    """

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.process: subprocess.Popen[bytes] | None = None
        self.entry: Any = None
        self.heard_at = 0.0

    def start(self, parent: Any) -> None:
        self._look()
        self.entry = parent.timer.call_repeatedly(LOOK_S, self._look)

    def _look(self) -> None:
        if self.process is not None and self._lives(self.process):
            return
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "watch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self.process.stdout is not None:
            os.set_blocking(self.process.stdout.fileno(), False)
        self.heard_at = time.monotonic()

    def _lives(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            log.warning("The watch ended (%s); starts it again", process.returncode)
            return False
        if process.stdout is not None and process.stdout.read(4096):
            self.heard_at = time.monotonic()
        if time.monotonic() - self.heard_at < SILENT_S:
            return True
        log.error("The watch has been silent for %.0f s; kills it and starts another", SILENT_S)
        process.kill()
        process.wait()
        return False

    def stop(self, parent: Any) -> None:
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None
        process, self.process = self.process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()

    terminate = stop
