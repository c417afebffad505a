from __future__ import annotations

from datetime import UTC, datetime

from portal.access.models import Person
from portal.jobs import steering
from portal.jobs.models import Job, ResourceLock
from portal.jobs.states import JobState
from sync_setup.rehearsal.ledger import differences
from tests.connect.company import Company, story
from tests.stack import Stack
from tests.waiting import wait_until

RESTART = {"where": "winrm:CRM-APP02", "match": "Restart-SssService"}


def test_an_effect_that_runs_on_after_its_session_was_cut_is_waited_for(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    # A lease that a busy machine cannot miss: a worker lost in mid-restart is another test's matter.
    stack.worker(LEASE_S="20")
    job = company.planned(mira)
    company.simulator.set_dial("winrm/restart_seconds", 3.0)
    company.simulator.add_dial(fault="contract", name="session_cut", **RESTART)

    company.approved(job, mira, jonas)
    job = company.carried(job)

    said = list(job.log.values_list("text", flat=True))
    assert any("CRM-APP02 is still at work on it" in text for text in said), story(job)
    # Nothing was sent a second time that the server had to turn away.
    assert not any("SSS-WINRM-Busy" in text or "Another change" in text for text in said)
    assert job.plan is not None
    assert differences(job.plan, company.simulator.ledger()) == []


def test_a_service_that_hangs_is_a_persons_business(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    company.simulator.set_dial("winrm/hang_seconds", 0.2)
    company.simulator.add_dial(fault="contract", name="hangs_in_stopping", **RESTART)
    company.approved(job, mira, jonas)

    job = _needs_person_about(company, job, "MSCRMAsyncService")

    for words in ("CRM-APP02", "Nothing was killed", "services.msc", "goes on by itself"):
        assert words in job.note
    assert "MSCRMAsyncService$maintenance on CRM-APP02" in job.note.partition("Not restarted")[2]
    assert ResourceLock.objects.filter(job=job).exists()

    _start_by_hand(company, 0)
    steering.continue_job(job, by=mira)
    job = company.carried(job)

    restarts = [e for e in company.simulator.ledger() if e["effect"] == "service.restart"]
    assert [entry["target"] for entry in restarts] == [
        "MSCRMAsyncService",
        "MSCRMAsyncService$maintenance",
    ]


def test_a_job_goes_on_by_itself_once_the_services_were_restarted_by_hand(
    stack: Stack, company: Company, mira: Person, jonas: Person
) -> None:
    stack.worker()
    job = company.planned(mira)
    company.simulator.set_dial("winrm/hang_seconds", 0.2)
    company.simulator.add_dial(fault="contract", name="hangs_in_stopping", **RESTART)
    company.approved(job, mira, jonas)
    job = _needs_person_about(company, job, "MSCRMAsyncService")

    _start_by_hand(company, 0)
    _start_by_hand(company, 1)

    company.carried(job)
    assert not [e for e in company.simulator.ledger() if "$maintenance" in e["target"]]


def _needs_person_about(company: Company, job: Job, words: str) -> Job:
    """Wait until the job asks a person for this; hand tenant access back where it asks for that."""

    def asked() -> Job | None:
        found = Job.objects.select_related("plan").get(pk=job.pk)
        assert not found.is_final, story(found)
        if found.state != JobState.NEEDS_PERSON:
            return None
        if words in found.note:
            return found
        if company.has_setup_app:
            company.delete_setup_app()
        return None

    return wait_until(asked, seconds=60)


def _start_by_hand(company: Company, place: int) -> None:
    """What a person does in services.msc: the service runs, and has read what is set."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    there = company.simulator.world("deployment")
    loaded = {
        "token_issuer_thumbprint": there["token_issuer"]["thumbprint"],
        "authorization_server_principal_id": there["authorization_server_principal_id"],
        "authorization_server_metadata_url": there["authorization_server_metadata_url"],
        "tenant_ids": {row["id"]: row["tenant_id"] for row in there["organizations"]},
    }
    for name, value in {"loaded": loaded, "started_at": now, "state": "Running"}.items():
        service = f"deployment/servers/CRM-APP02/services/{place}/{name}"
        company.simulator.set_world(service, value)
