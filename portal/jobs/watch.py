"""The watch: beside every Celery worker one process that rings for what is due, and does itself what nobody takes.

Celery's pool cannot do this while its broker is away, and a broker that was emptied says nothing.
One indexed query a second makes the broker a convenience: losing it costs seconds, never work.

Started by ``portal.jobs.bootstep`` as ``python -m django watch``; it ends when its standard input
ends, which is when the worker that holds the other end is gone, however that came about. On its
standard output it beats, so that the worker can tell a stopped or stuck watch from a busy one.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from portal.jobs import beat, duties, runner
from portal.jobs.bell import ring
from portal.jobs.models import Job

log = logging.getLogger("portal.jobs.watch")


class Watch:
    """Looks for due jobs every WATCH_INTERVAL_S; runs in the main thread, where the lease's alarm belongs."""

    def __init__(self, over: threading.Event) -> None:
        self.over = over
        # number -> when it was first seen due and rung for
        self.rung: dict[int, float] = {}

    def go(self) -> None:
        """Watch until the worker is gone."""
        while not self.over.wait(settings.WATCH_INTERVAL_S):
            close_old_connections()
            try:
                self.round()
                beat.leave()
            except DatabaseError as error:
                log.warning("The database is away (%s); looks again", type(error).__name__)

    def round(self) -> None:
        """Ring for what is newly due; run what was rung for and stays unclaimed; do one duty that is due."""
        due = list(Job.objects.due().values_list("number", flat=True)[:1000])
        now = time.monotonic()
        self.rung = {number: self.rung[number] for number in due if number in self.rung}
        for number in due:
            if number not in self.rung:
                self.rung[number] = now
                ring(number)
        late = [number for number in due if now - self.rung[number] >= settings.UNCLAIMED_S]
        for number in late:
            if self.over.is_set():
                return
            log.info("J-%s stays unclaimed; the watch takes it", number)
            while runner.run(number) and Job.objects.due().filter(number=number).exists():
                if self.over.is_set():
                    return
            self.rung.pop(number, None)
        duties.do_one_due()


def _end_with_worker(over: threading.Event) -> None:
    """Wait for the end of standard input."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
    over.set()


def _beat(over: threading.Event) -> None:
    while not over.wait(1):
        try:
            os.write(sys.stdout.fileno(), b".")
        except OSError:
            over.set()


def watch() -> None:
    """Run the watch of one worker."""
    over = threading.Event()
    for task in (_end_with_worker, _beat):
        threading.Thread(target=task, args=(over,), name=task.__name__, daemon=True).start()
    Watch(over).go()
