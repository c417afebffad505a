"""Undo of the main job through the simulated company: what it wrote goes back, what others changed stays."""

from __future__ import annotations

from typing import Any

from portal.access.models import Person
from portal.jobs import actions, steering
from portal.jobs.models import Job, JobStep
from portal.jobs.states import JobState
from portal.jobs.undo import SLUG, what_stays
from sync_setup.rehearsal.ledger import differences
from sync_setup.server_profiles import COMPARED
from tests.connect.company import Company, story
from tests.engine.toy_world import wait_for
from tests.stack import Stack
from tests.waiting import wait_until

ORDER = [
    "provide-tenant-access",
    "undo-write-organization-defaults",
    "undo-prove-pilot-mailbox",
    "undo-write-server-profile",
    "undo-set-organization-tenant",
    "undo-set-token-issuer",
    "undo-write-authorization-server",
    "restart-async-services",
    "undo-install-token-certificate",
    "undo-register-principal-name",
    "undo-register-token-certificate",
    "hand-back-tenant-access",
]
OTHER_TENANT = "99999999-2222-3333-4444-555555555555"
TENANT_ID = "Organization.S2STenantId"
# What what_stays says of it: the profile that was made stays, switched off, with its name and settings.
PROFILE_STAYS = {"write-server-profile": sorted(COMPARED)}


def test_all_that_a_job_wrote_is_as_it_was_before(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    before = _settings(company)
    job = company.planned(mira, set_defaults=True)
    company.approved(job, mira, jonas)
    job = company.carried(job)
    assert _settings(company) != before
    company.restore_setup_app()
    since = len(company.simulator.ledger())

    undo = _planned(job, mira)
    assert len(company.simulator.ledger()) == since
    company.approved(undo, mira, jonas)
    undo = company.carried(undo)

    assert [step.planned.key for step in _steps(undo)] == ORDER
    assert _settings(company) == before
    assert not company.has_setup_app
    assert _differing(job, undo) == PROFILE_STAYS
    stays = {item.title: item.why for item in what_stays(job)}
    assert list(stays) == [
        "Create the email server profile",
        "Prove it with the pilot mailbox",
        "Clean up",
    ]
    assert "switched off, not deleted" in stays["Create the email server profile"]
    assert undo.plan is not None
    assert differences(undo.plan, company.simulator.ledger()[since:]) == []


def test_a_job_that_failed_half_way_goes_back_as_far_as_it_came(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    before = _settings(company)
    job = company.planned(mira)
    refused = company.simulator.add_dial(
        where="winrm:CRM-APP01",
        match="Set-SssOrganizationTenant",
        fault="status",
        status=403,
        times=-1,
    )
    company.approved(job, mira, jonas)
    job = _ended(company, job, JobState.FAILED)
    company.simulator.remove_dial(refused)

    # The setup app is gone with the job: no plan is made on what cannot be looked at.
    undo = _planned(job, mira)
    assert undo.plan is None
    assert undo.failure is not None
    assert "neither be looked at nor taken back" in undo.failure["message"]
    assert "makes a setup app again" in undo.failure["fix"]

    company.restore_setup_app()
    actions.ask_for_checks(undo, by=mira)
    undo = wait_for(undo, JobState.DRAFT)
    company.approved(undo, mira, jonas)
    undo = company.carried(undo)

    keys = [step.planned.key for step in _steps(undo)]
    assert keys == [ORDER[0], *ORDER[5:]]
    assert _settings(company) == before


def test_what_others_changed_since_stays_and_is_named(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    before = _settings(company)
    job = company.planned(mira)
    company.approved(job, mira, jonas)
    job = company.carried(job)
    company.restore_setup_app()
    company.simulator.set_world("deployment/organizations/0/tenant_id", OTHER_TENANT)
    place = _crm_principal(company)
    another = dict(company.simulator.world(*place, "keys", 0)) | {
        "key_id": "77777777-2222-3333-4444-555555555555"
    }
    company.simulator.set_world("/".join(map(str, (*place, "keys", "-"))), another)

    undo = _planned(job, mira)
    assert undo.plan is not None
    named = {
        row.key: row.shown.get("changed by somebody else since, stays")
        for row in undo.plan.steps.all()
    }
    assert named["undo-set-organization-tenant"] == [TENANT_ID]
    assert named["undo-register-token-certificate"] == ["keyCredentials, others"]
    company.approved(undo, mira, jonas)
    company.carried(undo)

    after = _settings(company)
    assert after["tenant ids"] == [OTHER_TENANT, *before["tenant ids"][1:]]
    assert after["keys"] == sorted([*before["keys"], another["key_id"]])
    kept = {"tenant ids", "keys"}
    assert {n: v for n, v in after.items() if n not in kept} == {
        n: v for n, v in before.items() if n not in kept
    }


def _planned(job: Job, by: Person) -> Job:
    undo = actions.draft_job(SLUG, job.scope, by=by, inputs={"of": job.number})
    actions.ask_for_checks(undo, by=by)
    return wait_for(undo, JobState.DRAFT)


def _steps(job: Job) -> list[JobStep]:
    return list(job.steps.select_related("planned").order_by("position"))


def _ended(company: Company, job: Job, state: str) -> Job:
    def ended() -> Job | None:
        found = Job.objects.select_related("plan").get(pk=job.pk)
        if found.state == JobState.NEEDS_PERSON:
            company.delete_setup_app()
        return found if found.is_final or found.state == JobState.OUTCOME_UNKNOWN else None

    job = wait_until(ended, seconds=60)
    assert job.state == state, story(job)
    return job


def _crm_principal(company: Company) -> tuple[str | int, ...]:
    rows = company.simulator.world("tenants", 0, "principals")
    return "tenants", 0, "principals", next(n for n, row in enumerate(rows) if row["keys"])


def _settings(company: Company) -> dict[str, Any]:
    """What the job writes outside Dynamics, by the simulator's own word."""
    deployment = company.simulator.world("deployment")
    principal = company.simulator.world(*_crm_principal(company))
    return {
        "keys": sorted(key["key_id"] for key in principal["keys"]),
        "names": sorted(principal["names"]),
        "tenant ids": [row["tenant_id"] for row in deployment["organizations"]],
        "issuer": deployment["token_issuer"] and deployment["token_issuer"]["thumbprint"],
        "authorization server": {
            name: value for name, value in deployment.items() if "authorization" in name
        },
        "certificates": {
            server["name"]: server["certificates"] for server in deployment["servers"]
        },
    }


def _differing(job: Job, undo: Job) -> dict[str, list[str]]:
    """Fields that the job changed and that are not as before it, by step."""
    back = {step.planned.key.removeprefix("undo-"): step.after for step in _steps(undo)}
    found = {}
    for step in _steps(job):
        before, after = step.planned.before, step.after
        names = [n for n in after if before.get(n) != after[n]]
        key = step.planned.key
        if key in back and f"undo-{key}" in {s.planned.key for s in _steps(undo)}:
            found[key] = sorted(n for n in names if back[key].get(n) != before.get(n))
    return {key: names for key, names in found.items() if names}


def test_a_job_goes_on_where_it_failed_although_access_was_handed_back(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    refused = company.simulator.add_dial(
        where="winrm:CRM-APP01",
        match="Set-SssOrganizationTenant",
        fault="status",
        status=403,
        times=-1,
    )
    company.approved(job, mira, jonas)
    job = _ended(company, job, JobState.FAILED)
    company.simulator.remove_dial(refused)
    assert not company.has_setup_app

    job = company.carried(steering.retry_job(job, by=mira))

    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []


def test_what_the_second_organization_added_goes_back_without_the_tenants_access(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    first, second = company.organizations
    job = company.planned(mira, organization=first)
    company.approved(job, mira, jonas)
    job = company.carried(job)
    company.restore_setup_app()
    before = _settings(company)
    again = company.planned(mira, organization=second, certificate=job.inputs["certificate"])
    company.approved(again, mira, jonas)
    again = company.carried(again)
    assert not company.has_setup_app

    undo = _planned(again, mira)
    company.approved(undo, mira, jonas)
    undo = company.carried(undo)

    assert [step.planned.key for step in _steps(undo)] == [*ORDER[2:5], "restart-async-services"]
    assert _settings(company) == before

    # Whoever takes the first one back reads that the other one signs with the same certificate.
    company.restore_setup_app()
    third = company.planned(mira, organization=second, certificate=job.inputs["certificate"])
    company.approved(third, mira, jonas)
    company.carried(third)
    company.restore_setup_app()
    undo = _planned(job, mira)
    assert undo.plan is not None
    shown = undo.plan.steps.get(key="undo-set-token-issuer").shown
    assert shown["other organizations that ask for tokens with it"] == [second.unique_name]
