"""A process that waits for the word and then does its deed as fast as it can, beside others that do the same.

``python -m tests.access.racer DEED USERNAME``: says ``ready``, waits for one line on standard input (the
numbers of jobs), and answers with one line of JSON: what it won.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.db import connection  # noqa: E402

from portal.access.models import Person  # noqa: E402
from portal.errors import Outpaced  # noqa: E402
from portal.jobs import actions  # noqa: E402
from portal.jobs.claim import take  # noqa: E402
from portal.jobs.models import Job  # noqa: E402


def claim(numbers: list[int], username: str) -> list[list[int]]:
    """Try to take every job; give number and fence of those that were won."""
    won = []
    for number in numbers:
        found = take(number)
        if found is not None:
            won.append([found.number, found.fence])
    return won


def approve(numbers: list[int], username: str) -> list[list[int]]:
    """Try to approve every job; give the numbers that were won."""
    return _decide(numbers, username, actions.approve_job)


def reject(numbers: list[int], username: str) -> list[list[int]]:
    """Try to reject every job; give the numbers that were won."""
    return _decide(numbers, username, actions.reject_job, comment="no")


def withdraw(numbers: list[int], username: str) -> list[list[int]]:
    """Try to withdraw every job; give the numbers that were won."""
    by = Person.objects.get(username=username)
    won = []
    for job in Job.objects.filter(pk__in=numbers).order_by("pk"):
        try:
            actions.withdraw_job(job, by=by)
        except Outpaced:
            continue
        won.append([job.number])
    return won


def _decide(numbers: list[int], username: str, action: object, **more: str) -> list[list[int]]:
    by = Person.objects.get(username=username)
    won = []
    for job in Job.objects.select_related("plan", "scope").filter(pk__in=numbers).order_by("pk"):
        assert job.plan is not None
        try:
            action(job, by=by, digest=job.plan.digest, **more)  # type: ignore[operator]
        except Outpaced:
            continue
        won.append([job.number])
    return won


DEEDS = {"claim": claim, "approve": approve, "reject": reject, "withdraw": withdraw}


def main() -> None:
    """Wait, race, tell."""
    deed, username = sys.argv[1:]
    connection.ensure_connection()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    numbers = json.loads(sys.stdin.readline())
    sys.stdout.write(json.dumps(DEEDS[deed](numbers, username)) + "\n")


if __name__ == "__main__":
    main()
