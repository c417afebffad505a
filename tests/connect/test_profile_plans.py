from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.access.models import Person
from portal.errors import BadInput
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.states import JobState
from sync_setup.server_profiles import OWNER, RECEIVED_AFTER
from tests.connect.company import Company
from tests.engine.toy_world import wait_for
from tests.stack import Stack

KIND = "change-server-profile"


def _carried(company: Company, mira: Person, jonas: Person, **inputs: object) -> Job:
    scope = company.organization.scope
    job = actions.draft_job(KIND, scope, by=mira, inputs=inputs)
    actions.ask_for_checks(job, by=mira)
    job = wait_for(job, JobState.DRAFT)
    assert job.plan is not None, job.failure
    company.approved(job, mira, jonas)
    return wait_for(job, JobState.SUCCEEDED)


def test_a_new_profile_leaves_mail_from_before_its_plan_alone_and_then_gets_an_owner(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = _carried(company, mira, jonas, values={"name": "Second"})

    assert "received_after" not in job.inputs
    assert job.plan is not None
    taken = job.plan.steps.get().wanted[RECEIVED_AFTER]
    moment = datetime.fromisoformat(taken)
    assert moment.second == 0
    assert timedelta(0) <= datetime.now(UTC) - moment < timedelta(minutes=3)
    step = job.steps.get()
    assert step.after[RECEIVED_AFTER] == taken

    profile = step.made["profile_id"]
    owner = "sss.pilot@contoso.example"
    job = _carried(company, mira, jonas, profile_id=profile, values={}, profile_owner=owner)

    changed = job.steps.get()
    assert {n for n in changed.after if changed.after[n] != changed.planned.before[n]} == {OWNER}


def test_a_plan_that_changes_nothing_is_not_drafted(company: Company, mira: Person) -> None:
    nothing = {"profile_id": "11111111-2222-4333-8444-555555555555", "values": {}}
    with pytest.raises(BadInput, match="Nothing was changed"):
        actions.draft_job(KIND, company.organization.scope, by=mira, inputs=nothing)


def test_a_new_profile_is_not_drafted_switched_off(company: Company, mira: Person) -> None:
    with pytest.raises(BadInput, match="A new profile is active") as refused:
        _draft(company, mira, values={"name": "Second", "statecode": 1})

    assert refused.value.field == "statecode"
    assert "switch it off with a plan of its own" in refused.value.remedy
    _draft(company, mira, values={"name": "Second", "statecode": 0})


@pytest.mark.parametrize("state", [-1, 2])
def test_a_profile_has_no_third_state(company: Company, mira: Person, state: int) -> None:
    profile = "11111111-2222-4333-8444-555555555555"
    with pytest.raises(BadInput, match=r"active \(0\) or inactive \(1\)"):
        _draft(company, mira, profile_id=profile, values={"statecode": state})
    _draft(company, mira, profile_id=profile, values={"statecode": 1})


def _draft(company: Company, by: Person, **inputs: object) -> Job:
    return actions.draft_job(KIND, company.organization.scope, by=by, inputs=inputs)
