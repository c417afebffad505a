from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from portal.access.models import Person, Scope
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.states import JobState
from tests.waiting import wait_until


class ToyWorld:
    """The toy's outside world as a test sees and arranges it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(colour="red")

    def write(self, **values: Any) -> None:
        (self.folder / "world.json").write_text(json.dumps(self.read() | values))

    def read(self) -> dict[str, Any]:
        path = self.folder / "world.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def dial(self, point: str, fault: str, times: int = 1, **rest: Any) -> None:
        dials = {point: {"fault": fault, "times": times} | rest}
        (self.folder / "dials.json").write_text(json.dumps(dials))

    def heal(self) -> None:
        (self.folder / "dials.json").unlink()

    @property
    def effects(self) -> list[str]:
        path = self.folder / "effects.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [" ".join(line.split()[:2]) for line in lines]


ALL_EFFECTS = ["set-colour colour", "make-thing thing", "use-thing used"]


def planned_job(world: ToyWorld, scope: Scope, by: Person, kind: str = "toy") -> Job:
    """Draft a toy job and wait until a worker has made its plan."""
    job = actions.draft_job(kind, scope, by=by, inputs={"folder": str(world.folder)})
    actions.ask_for_checks(job, by=by)
    return wait_for(job, JobState.DRAFT)


def send_and_approve(job: Job, requester: Person, approver: Person) -> Job:
    actions.send_for_approval(job, by=requester, reason="because")
    assert job.plan is not None
    actions.approve_job(job, by=approver, digest=job.plan.digest)
    return job


def wait_for(job: Job, *states: str, seconds: float = 30) -> Job:
    """Wait until the job is in one of these states."""

    def there() -> Job | None:
        fresh = Job.objects.select_related("plan").get(pk=job.pk)
        return fresh if fresh.state in states else None

    try:
        return wait_until(there, seconds=seconds)
    except AssertionError:
        fresh = Job.objects.get(pk=job.pk)
        lines = "\n".join(fresh.log.order_by("seq").values_list("text", flat=True))
        raise AssertionError(
            f"{fresh} is {fresh.state} ({fresh.note}) {fresh.failure}\n{lines}"
        ) from None
