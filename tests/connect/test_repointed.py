from __future__ import annotations

from portal.access.models import Person
from portal.jobs.states import JobState
from sync_setup.models import CrmServer
from tests.connect.company import Company
from tests.engine.toy_world import wait_for
from tests.stack import Stack


def test_a_server_that_was_moved_after_the_approval_gets_nothing(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    CrmServer.objects.filter(name="CRM-APP02").update(host="127.0.0.1")

    company.approved(job, mira, jonas)
    job = wait_for(job, JobState.PLAN_STALE)

    assert company.simulator.ledger() == []
