"""SIGKILL after each step's effect: the effect is done, its answer held back, then the holder is killed."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from portal.access.models import Person
from portal.jobs.models import Job, JobStep
from portal.jobs.states import StepState
from sync_setup.rehearsal.ledger import differences
from tests.connect.company import Company
from tests.stack import Stack
from tests.waiting import wait_until

# step -> the call whose answer is held back once (an effect, or for steps without one, a look)
HELD: dict[str, dict[str, Any]] = {
    "provide-tenant-access": {"where": "entra", "match": "POST .*/token"},
    "register-token-certificate": {"where": "graph", "match": "PATCH .*/servicePrincipals/"},
    "register-principal-name": {
        "where": "graph",
        "match": "PATCH .*/servicePrincipals/",
        "skip": 1,
    },
    "hand-back-tenant-access": {"where": "entra", "match": "POST .*/token", "skip": 3},
    "install-token-certificate": {"where": "winrm:CRM-APP01", "match": "Install-SssCertificate"},
    "write-authorization-server": {
        "where": "winrm:CRM-APP01",
        "match": "Set-SssAuthorizationServer",
    },
    "set-token-issuer": {"where": "winrm:CRM-APP01", "match": "Set-SssTokenIssuer"},
    "set-organization-tenant": {"where": "winrm:CRM-APP01", "match": "Set-SssOrganizationTenant"},
    "restart-async-services": {"where": "winrm:CRM-APP02", "match": "Restart-SssService"},
    "write-server-profile": {"where": "crm", "match": "POST .*emailserverprofiles"},
    "prove-pilot-mailbox": {"where": "crm", "match": "PATCH .*mailboxes"},
    "write-organization-defaults": {"where": "crm", "match": "PATCH .*organizations"},
    # The eleven calls before it belong to earlier steps: each opens a session of its own.
    "clean-up": {"where": "winrm:CRM-APP01", "match": "Get-SssServer", "skip": 11},
}


@pytest.mark.parametrize("key", HELD)
def test_the_holder_killed_after_an_effect_nothing_is_repeated(
    stack: Stack, company: Company, mira: Person, jonas: Person, key: str
) -> None:
    stack.worker()
    job = company.planned(mira, set_defaults=True)
    company.simulator.add_dial(fault="timeout_after", times=1, **HELD[key])
    company.approved(job, mira, jonas)

    killed = _kill_holder_in(company, job, key)
    job = company.carried(job)

    assert killed
    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []


SERVER_EFFECTS = {
    "write-authorization-server": "deployment.authorizationServer",
    "set-token-issuer": "deployment.tokenIssuer",
    "set-organization-tenant": "organization.s2sTenantId",
    "restart-async-services": "service.restart",
}


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, marks=() if key == "set-token-issuer" else pytest.mark.full)
        for key in SERVER_EFFECTS
    ],
)
def test_the_whole_worker_killed_and_the_broker_dead(
    stack: Stack, company: Company, mira: Person, jonas: Person, key: str
) -> None:
    worker = stack.worker()
    job = company.planned(mira, set_defaults=True)
    company.simulator.add_dial(fault="timeout_after", times=1, **HELD[key])
    company.approved(job, mira, jonas)
    _answer_person(company, job)
    wait_until(lambda: _step(job, key).intent_at, seconds=60)
    wait_until(lambda: _effects(company, SERVER_EFFECTS[key]), seconds=20)

    worker.kill_tree()
    stack.worker_without_broker(REDIS_URL="redis://127.0.0.1:9/0")
    job = company.carried(job, seconds=120)

    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []


def _kill_holder_in(company: Company, job: Job, key: str) -> bool:
    """SIGKILL the process that holds the job once it is in this step and waits for the held answer."""
    _answer_person(company, job, until=key)

    def inside() -> int:
        step = _step(job, key)
        fresh = Job.objects.get(pk=job.pk)
        if step.state == StepState.DONE:
            return -1
        struck = any(dial.get("struck") for dial in company.simulator.dials())
        here = step.state == StepState.RUNNING and fresh.lease_ends_at is not None
        return int(fresh.worker.rpartition(":")[2]) if here and struck else 0

    pid = wait_until(inside, seconds=60)
    if pid < 0:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def _answer_person(company: Company, job: Job, until: str = "set-token-issuer") -> None:
    """Delete the setup app when the job asks for it, unless the step meant lies before that."""
    before = list(HELD).index(until) <= list(HELD).index("hand-back-tenant-access")
    if before:
        return
    wait_until(lambda: Job.objects.get(pk=job.pk).state == "needs_person", seconds=60)
    company.delete_setup_app()


def _step(job: Job, key: str) -> JobStep:
    return JobStep.objects.get(job=job, planned__key=key)


def _effects(company: Company, effect: str) -> list[dict[str, Any]]:
    return [entry for entry in company.simulator.ledger() if entry["effect"] == effect]
