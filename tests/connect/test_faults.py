from __future__ import annotations

import pytest

from portal.access.models import Person
from portal.jobs import steering
from portal.jobs.models import Job, ResourceLock
from portal.jobs.states import JobState
from sync_setup.rehearsal.ledger import differences
from tests.connect.company import Company, story
from tests.engine.toy_world import wait_for
from tests.stack import Stack
from tests.waiting import wait_until

PATCH = {"where": "graph", "match": "PATCH .*/servicePrincipals/"}
ISSUER = {"where": "winrm:CRM-APP01", "match": "Set-SssTokenIssuer"}


@pytest.mark.parametrize(
    "dial",
    [
        PATCH | {"fault": "status", "status": 429, "retry_after": 1},
        pytest.param(PATCH | {"fault": "status", "status": 503}, marks=pytest.mark.full),
        PATCH | {"fault": "drop"},
        PATCH | {"fault": "drop", "after": True},
        pytest.param(PATCH | {"fault": "truncated"}, marks=pytest.mark.full),
        pytest.param(ISSUER | {"fault": "garbled"}, marks=pytest.mark.full),
        ISSUER | {"fault": "drop", "after": True},
        {"where": "crm", "match": "POST .*emailserverprofiles", "fault": "drop", "after": True},
    ],
    ids=lambda dial: f"{dial['where']}-{dial['fault']}{'-after' if dial.get('after') else ''}",
)
def test_a_passing_fault_costs_time_and_nothing_else(
    stack: Stack, company: Company, mira: Person, jonas: Person, dial: dict[str, object]
) -> None:
    stack.worker()
    job = company.planned(mira)
    company.simulator.add_dial(times=1, **dial)

    company.approved(job, mira, jonas)
    job = company.carried(job)

    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []
    assert any(row.get("struck") for row in company.simulator.dials())


def test_stale_reads_of_the_directory_are_waited_out(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    company.simulator.set_dial("graph/stale_seconds", 2.0)

    company.approved(job, mira, jonas)
    job = company.carried(job)

    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []


def test_an_answer_of_success_without_an_effect_is_not_believed(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker(SETTLE_AT_MOST_S="1")
    job = company.planned(mira)
    company.simulator.add_dial(times=1, fault="silent", **ISSUER)

    company.approved(job, mira, jonas)
    job = _ended(company, job, JobState.FAILED)

    assert job.failure is not None
    # The server says that it carried the change out, so it is never sent again.
    assert job.failure["code"] == "SSS-WINRM-DRIFT"
    assert job.failure["position"] == 7
    assert not ResourceLock.objects.exists()


def test_a_change_by_somebody_else_stops_the_job_before_the_write(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    other = "99999999-2222-3333-4444-555555555555"
    company.simulator.set_world("deployment/organizations/0/tenant_id", other)

    company.approved(job, mira, jonas)
    job = _ended(company, job, JobState.PLAN_STALE)

    assert job.failure is not None
    drift = job.failure["drift"]
    assert [row["field"] for row in drift] == ["Organization.S2STenantId"]
    assert company.simulator.world("deployment", "organizations", 0, "tenant_id") == other


def test_a_refused_write_names_the_permission_and_changes_nothing(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    company.simulator.add_dial(
        times=-1,
        fault="status",
        status=403,
        code="Authorization_RequestDenied",
        message="Insufficient privileges to complete the operation.",
        **PATCH,
    )

    company.approved(job, mira, jonas)
    job = _ended(company, job, JobState.FAILED)

    assert job.failure is not None
    assert job.failure["code"] == "SSS-GRAPH-403"
    assert "Application.ReadWrite.All" in job.failure["fix"]
    assert company.simulator.ledger() == []


def test_what_cannot_be_looked_at_after_a_change_is_outcome_unknown(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    company.simulator.add_dial(times=1, fault="drop", after=True, **PATCH)
    company.approved(job, mira, jonas)
    wait_until(lambda: company.simulator.ledger(), seconds=30)
    away = company.simulator.add_dial(times=-1, fault="status", status=503, where="graph")

    job = wait_for(job, JobState.OUTCOME_UNKNOWN, seconds=60)

    assert ResourceLock.objects.filter(job=job).exists()
    assert job.failure is not None
    company.simulator.remove_dial(away)
    steering.continue_job(job, by=mira)
    wait_until(lambda: Job.objects.get(pk=job.pk).state != JobState.OUTCOME_UNKNOWN)
    job = company.carried(job)
    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []


def _ended(company: Company, job: Job, state: str) -> Job:
    ends = (*(s for s in (JobState.SUCCEEDED, JobState.FAILED, JobState.PLAN_STALE)), state)

    def ended() -> Job | None:
        found = Job.objects.select_related("plan").get(pk=job.pk)
        if found.state == JobState.NEEDS_PERSON:
            company.delete_setup_app()
        return found if found.state in ends else None

    job = wait_until(ended, seconds=60)
    assert job.state == state, story(job)
    return job
