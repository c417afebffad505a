"""Start the watch with the Celery worker, start it again when it dies, end it with the worker."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

from celery import bootsteps

log = logging.getLogger(__name__)
LOOK_S = 2.0
STOP_S = 55.0


class WatchStep(bootsteps.StartStopStep):
    """Keeps ``python -m portal.jobs.watch`` running beside the worker.

    A new process, not a fork: the worker's own threads and connections must not come along. Its
    standard input is a pipe that only this worker holds, so it ends even when the worker is killed.
    """

    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.process: subprocess.Popen[bytes] | None = None
        self.entry: Any = None

    def start(self, parent: Any) -> None:
        self._look()
        self.entry = parent.timer.call_repeatedly(LOOK_S, self._look)

    def _look(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            log.warning("The watch ended (%s); starts it again", self.process.returncode)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portal.jobs.watch"], stdin=subprocess.PIPE
        )

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
