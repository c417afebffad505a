"""The watch: beside every Celery worker one process that rings for what is due, and does itself what nobody takes.

Celery's pool cannot do this while its broker is away, and a broker that was emptied says nothing.
One indexed query a second makes the broker a convenience: losing it costs seconds, never work.

Started by ``portal.jobs.bootstep`` as ``python -m django watch``; it ends when its standard input
ends, which is when the worker that holds the other end is gone, however that came about. On its
standard output it beats, so that the worker can tell a stopped watch from a busy one. One that waits for a database which
vanished is let go by the connection's own time-outs (portal.env).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from portal.jobs import beat, duties, runner
from portal.jobs.bell import ring
from portal.jobs.models import Job

log = logging.getLogger("portal.jobs.watch")

LONGEST_REST_S = 60.0


class Watch:
    """Looks for due jobs every WATCH_INTERVAL_S; runs in the main thread, where the lease's alarm belongs."""

    def __init__(self, over: threading.Event) -> None:
        self.over = over
        # number -> when it was first seen due
        self.seen: dict[int, float] = {}
        self.rung: set[int] = set()
        # number -> for how long, and until when, this watch leaves it alone
        self.resting: dict[int, tuple[float, float]] = {}

    def go(self) -> None:
        """Watch until the worker is gone."""
        while not self.over.wait(settings.WATCH_INTERVAL_S):
            close_old_connections()
            try:
                self.round()
                beat.leave()
            except (OperationalError, InterfaceError) as error:
                log.warning("The database is away (%s); looks again", type(error).__name__)
            except Exception:
                # Whatever it is, other jobs and the duties must not wait for somebody to mend it.
                log.exception("The watch failed in this round; looks again")

    def round(self) -> None:
        """Ring for what is newly due, do the duties that are due, run what stays unclaimed."""
        due = list(Job.objects.due().values_list("number", flat=True)[:1000])
        now = time.monotonic()
        self.seen = {number: self.seen.get(number, now) for number in due}
        self.rung &= self.seen.keys()
        self.resting = {
            number: rest for number, rest in self.resting.items() if number in self.seen
        }
        self._ring(due)
        self._do_duties()
        for number in due:
            if self.over.is_set():
                return
            if self._is_late(number, now):
                self._run(number)

    def _ring(self, due: list[int]) -> None:
        """Ring for each once. A bell that does not ring costs time: it is tried again in the next round."""
        for number in due:
            if number in self.rung:
                continue
            if not ring(number):
                return
            self.rung.add(number)

    def _is_late(self, number: int, now: float) -> bool:
        _, until = self.resting.get(number, (0.0, 0.0))
        return now >= until and now - self.seen[number] >= settings.UNCLAIMED_S

    def _run(self, number: int) -> None:
        log.info("J-%s stays unclaimed; the watch takes it", number)
        try:
            while runner.run(number) and Job.objects.due().filter(number=number).exists():
                self._do_duties()
                if self.over.is_set():
                    return
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            rest_s = self._rest(number)
            log.exception("J-%s cannot be taken; the watch tries again in %.0f s", number, rest_s)
            return
        self.resting.pop(number, None)
        self.seen.pop(number, None)
        self.rung.discard(number)

    def _rest(self, number: int) -> float:
        """Leave a job alone for a while, longer each time, that an error here keeps from being taken."""
        before, _ = self.resting.get(number, (0.0, 0.0))
        rest = min(LONGEST_REST_S, max(settings.UNCLAIMED_S, before * 2))
        self.resting[number] = rest, time.monotonic() + rest
        return rest

    def _do_duties(self) -> None:
        """Do every duty that is due: between any two steps, so that one long step at most delays them."""
        while not self.over.is_set() and duties.do_one_due():
            continue


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
