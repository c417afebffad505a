"""Several processes at once: one claim a job, one decision a plan."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest
from django.utils import timezone

from portal.access.models import Person
from portal.audit.models import Entry
from portal.jobs.models import Approval, ApprovalUse, Job, ResourceLock
from portal.jobs.states import JobState
from tests.access.planning import Desk, fresh
from tests.stack import ROOT, Stack

Won = list[list[int]]


def _race(stack: Stack, runners: list[tuple[str, str]], jobs: list[Job]) -> list[Won]:
    """Start one process a runner, let all of them go at once, and give what each won."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.access.racer", *runner],
            env=stack.environment | {"LEASE_S": "120"},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for runner in runners
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        word = json.dumps([job.number for job in jobs]) + "\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(word)
            process.stdin.flush()
        return [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_of_jobs_on_one_resource_one_runs_and_uses_its_approval(
    stack: Stack, desk: Desk, jonas: Person
) -> None:
    jobs = [desk.approved(jonas) for _ in range(10)]

    told = _race(stack, [("claim", "-")] * 4, jobs)

    claims = [(number, fence) for won in told for number, fence in won]
    ((number, fence),) = claims
    runs = Job.objects.get(pk=number)
    assert (runs.fence, runs.state) == (fence, JobState.RUNNING)
    assert ApprovalUse.objects.get().job == runs
    assert {lock.job_id for lock in ResourceLock.objects.all()} == {number}
    assert Job.objects.filter(state=JobState.QUEUED).count() == len(jobs) - 1


def test_every_job_is_claimed_by_one_of_many(stack: Stack, desk: Desk) -> None:
    """Checks lock nothing: only the conditional UPDATE decides."""
    jobs = []
    for _ in range(25):
        jobs.append(desk.planned())
        Job.objects.update(state=JobState.CHECKING, run_after=timezone.now())

    told = _race(stack, [("claim", "-")] * 4, jobs)

    claims = [(number, fence) for won in told for number, fence in won]
    assert Counter(number for number, _ in claims) == {job.number: 1 for job in jobs}
    assert len({fence for _, fence in claims}) == len(jobs)
    for number, fence in claims:
        assert Job.objects.get(pk=number).fence == fence


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_one_of_two_deciders_decides(
    stack: Stack, desk: Desk, jonas: Person, lena: Person, second: str
) -> None:
    jobs = [desk.sent() for _ in range(8)]

    first_won, second_won = _race(stack, [("approve", "jonas"), (second, "lena")], jobs)

    decided = sorted(number for won in (first_won, second_won) for (number,) in won)
    assert decided == [job.number for job in jobs]
    assert Approval.objects.count() == len(jobs)
    for job in jobs:
        approval = Approval.objects.get(plan__job=job)
        word = "approved" if [job.number] in first_won or second == "approve" else "rejected"
        assert approval.decision == word
        assert fresh(job).state == word
        assert Entry.objects.filter(job_number=job.number, event=f"job.{word}").count() == 1


def test_a_plan_is_withdrawn_or_approved_never_both(
    stack: Stack, desk: Desk, jonas: Person
) -> None:
    jobs = [desk.sent() for _ in range(8)]

    approved, withdrawn = _race(stack, [("approve", "jonas"), ("withdraw", "mira")], jobs)

    assert len(approved) + len(withdrawn) == len(jobs)
    for job in jobs:
        is_approved = Approval.objects.filter(plan__job=job).exists()
        assert is_approved == ([job.number] in approved)
        assert fresh(job).state == (JobState.APPROVED if is_approved else JobState.DRAFT)


def test_a_hundred_deliveries_of_one_message_are_one_claim(
    stack: Stack, desk: Desk, jonas: Person
) -> None:
    job = desk.approved(jonas)

    told = _race(stack, [("claim", "-")] * 2, [job] * 50)

    assert sum(len(won) for won in told) == 1
