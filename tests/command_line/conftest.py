from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.access.models import Person, Role, Scope
from portal.jobs import actions
from portal.jobs.models import Job
from tests.conftest import make_person
from tests.environment import FOLDER
from tests.simulator_process import SimulatorProcess
from tests.web.paper import carry_out_checks

Draft = Callable[..., Job]


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    """One simulator a test process."""
    process = SimulatorProcess(FOLDER / "simulator-command-line")
    yield process
    process.stop()


@pytest.fixture
def tom(database_url: str) -> Person:
    """Administers, and nothing else."""
    return make_person("tom", Role.ADMIN)


@pytest.fixture
def vera(database_url: str, scope: Scope) -> Person:
    """Only looks, at Contoso."""
    return make_person("vera", Role.VIEWER, scope)


@pytest.fixture
def outsider(database_url: str) -> Person:
    """Requests and approves for another organization."""
    other = Scope.objects.create(
        kind="organization", slug="other", title="Other", is_simulated=True
    )
    person = make_person("outsider", Role.REQUESTER, other)
    person.grants.create(role=Role.APPROVER, scope=other, source="portal")
    return person


@pytest.fixture
def draft(scope: Scope, mira: Person) -> Draft:
    """Make a job of Mira's whose checks have run: with a plan, unless the paper is wet."""

    def make(**inputs: Any) -> Job:
        job = actions.draft_job("paper", scope, by=mira, inputs={"colour": "red"} | inputs)
        return carry_out_checks(actions.ask_for_checks(job, by=mira))

    return make


@pytest.fixture
def approved(waiting: Job, jonas: Person) -> Job:
    """A job of Mira's that Jonas approved."""
    assert waiting.plan is not None
    actions.approve_job(waiting, by=jonas, digest=waiting.plan.digest, proof="7e42")
    return Job.objects.select_related("plan", "scope").get(pk=waiting.pk)


@pytest.fixture
def waiting(draft: Draft, mira: Person) -> Job:
    """A job of Mira's that waits for a decision."""
    return actions.send_for_approval(draft(), by=mira, reason="The red hurts.", ticket="CHG-1")
