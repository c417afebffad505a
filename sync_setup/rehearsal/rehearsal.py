"""The main job from registration to the verified end, without a browser, checked against the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portal.access.actions import grant_role
from portal.access.models import Person, Role
from portal.errors import PortalError
from portal.jobs import actions
from portal.jobs.models import Job, JobStep
from portal.jobs.states import CLAIMABLE, JobState, StepState, Verdict
from sync_setup.certificates import upload_certificate
from sync_setup.models import Organization
from sync_setup.rehearsal import simulated
from sync_setup.rehearsal.control import SimulatorControl
from sync_setup.rehearsal.ledger import differences

Say = Callable[[str], None]


class Rehearsal:
    """One rehearsal on a running simulator and worker.

    :param say: takes lines for people; :param progress: takes (job, done, all) while the job runs.
    :param cycle_s: length of the simulated CRM's synchronization cycle: what the worker was started with.
    """

    def __init__(
        self,
        addresses: dict[str, Any],
        say: Say,
        progress: Callable[[Job, int, int], None],
        *,
        cycle_s: float,
    ) -> None:
        self.addresses, self.say, self.progress = addresses, say, progress
        self.cycle_s = cycle_s
        self.control = SimulatorControl(addresses["control"])
        self.requester = _actor("rehearsal-requester", "Rehearsal requester", Role.REQUESTER)
        self.approver = _actor("rehearsal-approver", "Rehearsal approver", Role.APPROVER)
        self.admin = _actor("rehearsal-admin", "Rehearsal admin", Role.ADMIN)

    def run(self, deployment: str) -> list[dict[str, Any]]:
        """Connect every organization of the simulated deployment, one after the other.

        :return: a report per organization; ``holds`` in each says whether everything does.
        :raises PortalError: when a job stands still where it should go on.
        """
        self.control.turn(set="crm/cycle_seconds", value=self.cycle_s)
        setup_app = self.control.keep_setup_app(self.addresses["setup_app"]["client_id"])
        simulated.write_clouds(self.addresses)
        reports: list[dict[str, Any]] = []
        certificate: int | None = None
        for organization in simulated.register(self.addresses, by=self.admin, name=deployment):
            if reports:
                self.control.restore_setup_app(setup_app)
            report = self._connect(organization, certificate)
            certificate = report.pop("certificate_id")
            reports.append(report)
        return reports

    def _connect(self, organization: Organization, certificate: int | None) -> dict[str, Any]:
        began = time.monotonic()
        since = max((entry["seq"] for entry in self.control.ledger()), default=0)
        self.say(f"{organization.unique_name}: certificate, answers, checks, plan")
        simulated.record_good_answers(organization, by=self.requester)
        if certificate is None:
            sample = self.addresses["samples"][0]
            certificate = upload_certificate(
                organization,
                Path(sample["path"]).read_bytes(),
                sample["password"],
                by=self.requester,
            ).pk
        job = actions.draft_job(
            "connect-organization",
            organization.scope,
            by=self.requester,
            inputs={
                "certificate": certificate,
                "pilot": self.addresses["pilots"][organization.unique_name],
            },
        )
        actions.ask_for_checks(job, by=self.requester)
        job = self._until(job, lambda found: found.state not in CLAIMABLE)
        self._say_checks(job)
        written_before_approval = self.control.ledger(since)
        job = self._approve(job)
        job = self._carry(job)
        return self._report(job, since, written_before_approval, time.monotonic() - began) | {
            "certificate_id": certificate
        }

    def _say_checks(self, job: Job) -> None:
        for check in job.checks.order_by("position"):
            if check.verdict != Verdict.PASS:
                self.say(f"  {check.get_verdict_display()}: {check.title}: {check.finding}")
        if job.plan is None:
            raise PortalError(f"{job} has no plan: {job.note}", code="SSS-REHEARSAL")

    def _approve(self, job: Job) -> Job:
        assert job.plan is not None  # noqa: S101 -- _say_checks stopped otherwise
        actions.send_for_approval(job, by=self.requester, reason="Rehearsal")
        actions.approve_job(job, by=self.approver, digest=job.plan.digest, proof=job.plan.proof)
        self.say(f"  {job} approved, plan {job.plan.digest[:8]}")
        return job

    def _carry(self, job: Job) -> Job:
        """Wait for the end, and do what the job asks the tenant's administrator for."""
        asked: set[str] = set()

        def ended(found: Job) -> bool:
            steps = found.steps.all()
            done = sum(step.state == StepState.DONE for step in steps)
            self.progress(found, done, len(steps))
            if found.state == JobState.NEEDS_PERSON and found.note not in asked:
                asked.add(found.note)
                self.control.delete_setup_app(self.addresses["setup_app"]["client_id"])
            return found.is_final or found.state == JobState.OUTCOME_UNKNOWN

        return self._until(job, ended, seconds=300)

    def _until(self, job: Job, question: Callable[[Job], bool], *, seconds: float = 120) -> Job:
        end = time.monotonic() + seconds
        while True:
            found = Job.objects.select_related("plan", "scope").get(pk=job.pk)
            if question(found):
                return found
            if time.monotonic() > end:
                raise PortalError(
                    f"{job} stands still: {found.get_state_display()} {found.note}",
                    code="SSS-REHEARSAL",
                )
            time.sleep(0.1)

    def _report(
        self, job: Job, since: int, written_before: list[dict[str, Any]], seconds: float
    ) -> dict[str, Any]:
        assert job.plan is not None  # noqa: S101 -- it was approved
        found = differences(job.plan, self.control.ledger(since))
        if written_before:
            found.append(f"{len(written_before)} effects before the approval")
        if job.state != JobState.SUCCEEDED:
            found.append(f"{job} ended as {job.get_state_display()}")
        return {
            "job": job.name,
            "organization": job.scope.title,
            "state": job.state,
            "digest": job.plan.digest,
            "seconds": round(seconds, 1),
            "steps": [
                _step(step) for step in job.steps.select_related("planned").order_by("position")
            ],
            "failure": job.failure,
            "differences": found,
            "holds": not found,
        }


def _step(step: JobStep) -> dict[str, Any]:
    planned = step.planned
    return {
        "position": step.position,
        "key": planned.key,
        "title": planned.title,
        "state": step.state,
        "changed": step.changed,
        "seconds": round(step.seconds or 0.0, 2),
        "before": planned.before,
        "wanted": planned.wanted,
        "read_back": step.after,
    }


def _actor(username: str, name: str, role: str) -> Person:
    person, made = Person.objects.get_or_create(username=username, defaults={"name": name})
    if made:
        person.set_unusable_password()
        person.save()
    grant_role(person, role, None, by=None)
    return person
