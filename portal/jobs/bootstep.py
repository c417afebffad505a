"""Start the watch with the Celery worker, start it again when it dies, end it with the worker."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from typing import Any

from celery import bootsteps

log = logging.getLogger(__name__)
LOOK_S = 1.0
SILENT_S = 15.0  # a watch that says nothing for so long is stopped
STOP_S = 55.0


class WatchStep(bootsteps.StartStopStep):
    """Keeps ``python -m django watch`` running beside the worker.

    A new process, not a fork: the worker's own threads and connections must not come along. Its
    standard input is a pipe that only this worker holds, so it ends even when the worker is killed.
    On its standard output it beats; one that falls silent is killed and started again.

    A thread of its own looks after it. Celery's timers stand still while Celery looks for its broker,
    and that is when the watch does all the work.
    """

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.over = threading.Event()
        self.keeper: threading.Thread | None = None
        # Both belong to the thread alone, so that ending cannot race with starting again.
        self.process: subprocess.Popen[bytes] | None = None
        self.heard_at = 0.0
        os.register_at_fork(after_in_child=self._let_go)

    def start(self, parent: Any) -> None:
        self.over.clear()
        self.keeper = threading.Thread(target=self._keep, name="watch keeper", daemon=True)
        self.keeper.start()

    def stop(self, parent: Any) -> None:
        """Have the watch end after the step it may be in, and wait for that."""
        self.over.set()
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            keeper.join(STOP_S + 2 * LOOK_S)

    terminate = stop

    def _keep(self) -> None:
        while not self.over.is_set():
            try:
                self._look()
            except OSError as error:
                log.error("The watch cannot be started (%s); tries again", error.strerror)
            self.over.wait(LOOK_S)
        self._end()

    def _look(self) -> None:
        if self.process is not None and self._lives(self.process):
            return
        self.process = None
        # Unbuffered: a file object's lock that some thread held at a fork would stay locked in the child.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "watch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
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

    def _end(self) -> None:
        process, self.process = self.process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _let_go(self) -> None:
        """In a child of the worker: it must not hold the pipe open by which the watch knows that the worker is gone."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
