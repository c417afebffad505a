from __future__ import annotations

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.models import JobStep, ResourceLock
from portal.vault.models import Secret
from sync_setup.rehearsal.ledger import differences
from tests.connect.company import Company
from tests.stack import Stack

# The order that fails safe (domain facts: keys are added first, the cut-over is late).
ORDER = [
    "provide-tenant-access",
    "register-token-certificate",
    "register-principal-name",
    "hand-back-tenant-access",
    "install-token-certificate",
    "write-authorization-server",
    "set-token-issuer",
    "set-organization-tenant",
    "restart-async-services",
    "write-server-profile",
    "prove-pilot-mailbox",
    "write-organization-defaults",
    "clean-up",
]


def test_two_organizations_of_one_deployment_are_connected(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    first, second = company.organizations

    job = company.planned(mira, organization=first, set_defaults=True)
    assert company.simulator.ledger() == []
    company.approved(job, mira, jonas)
    job = company.carried(job)

    steps = list(job.steps.select_related("planned").order_by("position"))
    assert [step.planned.key for step in steps] == ORDER
    assert job.plan is not None
    ledger = company.simulator.ledger()
    assert differences(job.plan, ledger) == []
    assert not ResourceLock.objects.exists()
    assert not Secret.objects.filter(kind="job", destroyed_at=None).exists()

    company.restore_setup_app()
    again = company.planned(mira, organization=second, certificate=job.inputs["certificate"])
    company.approved(again, mira, jonas)
    again = company.carried(again)

    changed = JobStep.objects.filter(job=again, changed=True).select_related("planned")
    assert sorted(step.planned.key for step in changed) == [
        "prove-pilot-mailbox",
        "restart-async-services",
        "set-organization-tenant",
        "write-server-profile",
    ]
    assert again.plan is not None
    assert differences(again.plan, company.simulator.ledger()[len(ledger) :]) == []


def test_a_key_file_that_another_job_needs_goes_with_that_one(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    first, second = company.organizations
    job = company.planned(mira, organization=first)
    other = company.planned(mira, organization=second, certificate=job.inputs["certificate"])
    kept = Secret.objects.filter(kind="job", destroyed_at=None)

    company.approved(job, mira, jonas)
    company.carried(job)
    assert kept.count() == 2

    actions.discard_draft(other, by=mira)
    assert not kept.filter(destroy_at=None).exists()
