"""The simulated company, known to the portal of one test, and a job on its way through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.models import Job, JobStep
from portal.jobs.states import JobState
from sync_setup.certificates import upload_certificate
from sync_setup.models import Organization, TokenCertificate
from sync_setup.rehearsal import simulated
from tests.engine.toy_world import wait_for
from tests.simulator_process import SimulatorProcess
from tests.waiting import wait_until


class Company:
    """One simulator, reset for this test, and its organizations registered in the portal."""

    def __init__(self, simulator: SimulatorProcess, admin: Person) -> None:
        simulator.reset()
        simulator.set_dial("crm/cycle_seconds", 0.5)
        simulator.set_dial("crm/test_seconds", 0.3)
        self.simulator, self.addresses = simulator, simulator.addresses
        settings.CLOUDS_FILE = str(Path(settings.VAR_DIR) / "clouds.json")
        simulated.write_clouds(self.addresses)
        self.organizations = simulated.register(self.addresses, by=admin)
        self.setup_app = next(
            row for row in self._applications() if row["client_id"] == self._setup_app_id
        )

    @property
    def organization(self) -> Organization:
        return self.organizations[0]

    @property
    def _setup_app_id(self) -> str:
        return str(self.addresses["setup_app"]["client_id"])

    def _applications(self) -> list[dict[str, Any]]:
        return list(self.simulator.world("tenants", 0, "applications"))

    @property
    def has_setup_app(self) -> bool:
        return any(row["client_id"] == self._setup_app_id for row in self._applications())

    def delete_setup_app(self) -> None:
        """What the tenant's administrator does when the job asks for it."""
        for place, row in enumerate(self._applications()):
            if row["client_id"] == self._setup_app_id:
                self.simulator.remove_from_world(f"tenants/0/applications/{place}")

    def restore_setup_app(self) -> None:
        self.simulator.set_world("tenants/0/applications/-", self.setup_app)

    def upload(self, by: Person, organization: Organization | None = None) -> TokenCertificate:
        sample = self.addresses["samples"][0]
        data = Path(sample["path"]).read_bytes()
        return upload_certificate(
            organization or self.organization, data, sample["password"], by=by
        )

    def planned(self, by: Person, **inputs: Any) -> Job:
        """Draft the main job, answer what people are asked, and wait for its plan."""
        organization = inputs.pop("organization", self.organization)
        simulated.record_good_answers(organization, by=by)
        chosen = {
            "certificate": inputs.pop("certificate", None) or self.upload(by, organization).pk,
            "pilot": self.addresses["pilots"][organization.unique_name],
        }
        job = actions.draft_job(
            "connect-organization", organization.scope, by=by, inputs=chosen | inputs
        )
        actions.ask_for_checks(job, by=by)
        job = wait_for(job, JobState.DRAFT)
        stopping = [
            f"{check.key}: {check.verdict} {check.finding}"
            for check in job.checks.all()
            if check.verdict not in ("pass", "warn")
        ]
        assert job.plan is not None, (job.note, job.failure, stopping)
        return job

    def approved(self, job: Job, requester: Person, approver: Person) -> Job:
        actions.send_for_approval(job, by=requester, reason="because")
        assert job.plan is not None
        actions.approve_job(job, by=approver, digest=job.plan.digest, proof=job.plan.proof)
        return job

    def carried(self, job: Job, *, seconds: float = 90) -> Job:
        """Wait for the verified end; delete the setup app when the job asks for it."""
        asked = False
        ends = (JobState.SUCCEEDED, JobState.FAILED, JobState.PLAN_STALE, JobState.OUTCOME_UNKNOWN)

        def ended() -> Job | None:
            nonlocal asked
            found = Job.objects.select_related("plan").get(pk=job.pk)
            if found.state == JobState.NEEDS_PERSON and not asked:
                asked = True
                self.delete_setup_app()
            return found if found.state in ends else None

        try:
            job = wait_until(ended, seconds=seconds)
        except AssertionError:
            raise AssertionError(story(job)) from None
        assert job.state == JobState.SUCCEEDED, story(job)
        return job


def story(job: Job) -> str:
    """What happened, for a failed test."""
    fresh = Job.objects.get(pk=job.pk)
    lines = [f"{fresh} {fresh.state} {fresh.note} {json.dumps(fresh.failure)}"]
    lines += fresh.log.order_by("seq").values_list("text", flat=True)
    lines += [f"{s.position} {s.state} {s.note}" for s in JobStep.objects.filter(job=fresh)]
    return "\n".join(lines)
