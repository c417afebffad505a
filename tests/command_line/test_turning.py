"""Cancel, retry, undo and the policy of approvals at a command line."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db.models.functions import Now

from portal.access.models import Person
from portal.jobs.models import ApprovalPolicy, ApprovalUse, Job, JobStep
from portal.jobs.states import JobState, StepState
from sync_setup.rehearsal import simulated
from tests.command_line.running import refused, sss
from tests.simulator_process import SimulatorProcess
from tests.web.paper import carry_out_checks
from tests.web.test_job_pages import FAILURE, put


def begun(job: Job) -> None:
    assert job.plan is not None
    ApprovalUse.objects.create(approval=job.plan.approvals.get(), job=job, fence=1)
    JobStep.objects.filter(job=job, position=1).update(
        state=StepState.DONE,
        changed=True,
        intent_at=Now(),
        ended_at=Now(),
        after={"colour": "green", "marks": ["old", "new"]},
    )


def test_a_job_is_cancelled_and_goes_on_later(approved: Job, jonas: Person, mira: Person) -> None:
    begun(approved)
    put(approved, JobState.RUNNING, started_at=Now())

    ended = sss("cancel", approved.name, "--as", "jonas", "--json")
    assert (ended.code, ended.json["state"]) == (0, "cancelling")

    put(approved, JobState.FAILED, failure=FAILURE, ended_at=Now(), cancel_asked_at=None)
    gone_on = sss("retry", approved.name, "--as", "mira")
    assert gone_on.code == 0
    assert "it looks first" in gone_on.out
    assert Job.objects.get(pk=approved.pk).state == JobState.QUEUED


def test_nothing_is_turned_that_stands_otherwise(approved: Job, mira: Person) -> None:
    assert refused("retry", approved.name, "--as", "mira")[1]["code"] == "SSS-APPROVAL-ENDED"
    assert refused("undo", approved.name, "--as", "mira")[1]["field"] == "of"
    assert Job.objects.count() == 1


def test_an_undo_is_drafted_and_its_plan_asked_for(approved: Job, mira: Person) -> None:
    begun(approved)
    put(approved, JobState.SUCCEEDED, started_at=Now(), ended_at=Now())

    code, error = refused("undo", approved.name, "--timeout", "0", "--as", "mira")

    # No worker runs here, so the plan is not there yet; the draft is.
    assert error["code"] == "SSS-WAITED"
    assert code == 5
    undo = Job.objects.exclude(pk=approved.pk).get()
    assert (undo.kind, undo.inputs) == ("undo-job", {"of": approved.number})
    assert undo.state == JobState.CHECKING
    carry_out_checks(undo)
    told = sss("show", undo.name, "--as", "mira", "--json").json
    assert [step["key"] for step in told["plan"]["steps"]] == ["undo-write-colour"]


def test_an_admin_says_how_many_people_approve(
    simulator: SimulatorProcess, tom: Person, mira: Person
) -> None:
    settings.CLOUDS_FILE = str(Path(settings.VAR_DIR) / "clouds.json")
    simulated.write_clouds(simulator.addresses)
    name = simulated.register(simulator.addresses, by=tom)[0].unique_name
    shown = sss("policy", name, "--as", "tom", "--json")
    assert shown.json["policies"] == [{"kind": "", "title": "Every kind of change", "approvers": 1}]

    changed = sss(
        "policy",
        name,
        "--approvers",
        "2",
        "--kind",
        "change-server-profile",
        "--as",
        "tom",
        "--json",
    )

    assert changed.json["policies"][1:] == [
        {"kind": "change-server-profile", "title": "Change an email server profile", "approvers": 2}
    ]
    assert refused("policy", name, "--approvers", "1", "--as", "mira")[1]["code"]
    assert ApprovalPolicy.objects.count() == 1
