"""Wait at a command line for what workers do. The database is asked; nothing here moves a job."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from portal.errors import Unreachable
from portal.jobs.models import Job

LOOK_EVERY_S = 0.2
# A worker takes a job within seconds; after this the person at the terminal wants to know.
UNCLAIMED_S = 15.0


class StillAtWork(Unreachable):
    """The time to wait is over; the job goes on without the command."""

    code = "SSS-WAITED"

    def __init__(self, job: Job, seconds: float) -> None:
        waits = job.fence == 0
        super().__init__(
            f"{job.name} is not there yet after {seconds:.0f} s: {job.note or job.get_state_display()}",
            remedy="See whether a worker runs: manage.py engine status"
            if waits
            else f"Follow it: manage.py sss status {job.name} --follow",
            system="Worker",
        )
        self.state_now = f"{job.name} is kept and goes on without this command."


def fresh(job: Job) -> Job:
    """Read a job anew, with all that its words need."""
    return Job.objects.select_related("plan", "scope", "requester").get(pk=job.pk)


def wait_until(
    job: Job, there: Callable[[Job], bool], *, seconds: float | None, say: Callable[[str], None]
) -> Job:
    """Wait until the job is there, and give it as it is then.

    :param seconds: how long; None: for ever.
    :raises StillAtWork: when it is not there in time.
    """
    began = time.monotonic()
    told = False
    note = ""
    while not there(found := fresh(job)):
        waited = time.monotonic() - began
        if seconds is not None and waited > seconds:
            raise StillAtWork(found, seconds)
        if waited > UNCLAIMED_S and found.fence == 0 and not told:
            told = True
            say(f"No worker has taken {job.name} yet. Does one run? manage.py engine status")
        if found.note != note and sys.stderr.isatty():
            note = found.note
            say(f"  {note}")
        time.sleep(LOOK_EVERY_S)
    return found
