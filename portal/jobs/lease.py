"""No holder outlives its lease: the heartbeat prolongs it, and arms the alarm that kills this process first.

This holds for a process that hangs, is stopped (SIGSTOP) or starved: the kernel's clock goes on, and the
signal is delivered before the next instruction of the process. It does not hold where the clock itself
stands still: a virtual machine that was paused, or a machine that was suspended, may go on for as long as
the alarm had left before, while another worker holds the job. What protects then is elsewhere:

- the database: every write, the intent of a change too, names the fence and a lease that has not ended by
  the database's clock, so nothing is begun any more and nothing is written down;
- CRM servers: they refuse an order with an older fence than they have seen for the resource;
- Dynamics: a PATCH carries the ETag of the look and is refused once somebody changed the record; what is
  created has an id of ours, so that the same job cannot create it twice;
- Microsoft Graph: nothing. A request under way when the machine was paused still arrives. The fresh look
  that follows every change shows what it did (docs/unproven.md, "A late write to Graph").
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from portal.jobs import beat
from portal.jobs.claim import Claim
from portal.jobs.models import Job

log = logging.getLogger(__name__)


def margin_s() -> float:
    """Give how long before the lease's end the holder is dead: 2 s, less where tests use short leases."""
    return min(2.0, settings.LEASE_S / 4)


def arm(since: float) -> None:
    """Have the kernel kill this process shortly before a lease that began at ``since`` (monotonic) ends.

    A stopped process (SIGSTOP) gets the signal before its next instruction; see above for a paused machine.
    """
    left = settings.LEASE_S - margin_s() - (time.monotonic() - since)
    signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))


def disarm() -> None:
    """Take the alarm back."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def alarm_kills() -> None:
    """Give SIGALRM its default action: nothing in Python gets a chance to go on. Main thread only."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@contextmanager
def held(claim: Claim) -> Iterator[None]:
    """Keep the claim alive while the block runs.

    ``arm`` was called before the claim was taken; the alarm stays armed after the block, until the
    caller has given the job back and disarms it.
    """
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(claim, done), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(claim: Claim, done: threading.Event) -> None:
    try:
        while not done.wait(settings.LEASE_S / 3):
            began = time.monotonic()
            try:
                hit = Job.objects.filter(
                    number=claim.number, fence=claim.fence, lease_ends_at__gt=Now()
                ).update(lease_ends_at=Now() + timedelta(seconds=settings.LEASE_S))
            except DatabaseError:
                # Tried again at the next beat; if the database stays away the alarm ends this process.
                log.warning("J-%s: the lease could not be prolonged", claim.number)
                connection.close()
                continue
            if hit:
                arm(began)
                beat.leave()
            elif not done.is_set():
                log.error("J-%s: somebody else holds the job; this process ends", claim.number)
                os.kill(os.getpid(), signal.SIGALRM)
    finally:
        connection.close()
