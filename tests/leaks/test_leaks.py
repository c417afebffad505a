"""No secret of a job stands anywhere but where it belongs; and the search would have found it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from django.db import connection

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.models import Job, JobStep
from portal.jobs.states import JobState
from tests.engine.toy_world import wait_for
from tests.leaks.exposed import Exposed, people_of_every_role
from tests.leaks.needles import Canary, leaks
from tests.leaks.visitor import Visitor
from tests.waiting import wait_until

ANSWERS = {
    "ews-allow-list-answer": "yes",
    "exchange-support-switch-answer": "yes",
    "other-consumers-answer": "none",
}
INSTALL = "Install-SssCertificate"


def draft(exposed: Exposed, mira: Visitor) -> Job:
    """A draft with a certificate, after every way in which bringing it can fail."""
    organization = exposed.company.organization
    assert mira.post("/jobs/new/", data={"org": organization.scope.slug}).status_code == 302
    job = Job.objects.select_related("scope").get()
    page = f"/jobs/{job.name}/certificate/"
    assert exposed.upload(mira, page, exposed.wrong_password) == 422
    assert exposed.upload(mira, page, exposed.pfx_password, token="x" * 64) == 403
    assert exposed.upload(mira, "/jobs/new/", exposed.pfx_password, path="/nowhere/") == 404
    assert exposed.upload(mira, page, exposed.pfx_password) == 302
    return job


def planned(exposed: Exposed, mira: Visitor, job: Job) -> Job:
    """Its checks have run: the message lay in the broker before there was a worker."""
    pilot = exposed.company.addresses["pilots"][exposed.company.organization.unique_name]
    options = {"pilot": pilot, "profile_name": f"Hybrid {exposed.planted}", "set_defaults": "on"}
    page = f"/jobs/{job.name}/preflight/"
    assert mira.post(page, data=options | ANSWERS).status_code == 302
    exposed.worker()
    job = wait_for(job, JobState.DRAFT)
    assert job.plan is not None, (job.note, job.failure)
    return job


def kill_in_step_5(exposed: Exposed, job: Job) -> None:
    """SIGKILL to the whole worker while the certificate travels; another one goes on."""
    step = JobStep.objects.get(job=job, planned__key="install-token-certificate")

    def installing() -> bool:
        step.refresh_from_db()
        return step.intent_at is not None and bool(
            [call for call in exposed.simulator.calls() if call["path"] == INSTALL]
        )

    wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.NEEDS_PERSON, seconds=60)
    exposed.company.delete_setup_app()
    wait_until(installing, seconds=60)
    exposed.stack.processes[-1].kill_tree()
    exposed.worker()


def fail_inside(exposed: Exposed, mira: Visitor) -> None:
    """A certificate and its password arrive, and the portal itself fails while it handles them."""
    organization = exposed.company.organizations[1]
    begun = mira.post("/jobs/new/", data={"org": organization.scope.slug})
    page = begun.headers["Location"]
    with without_table("vault_secret"):
        assert exposed.upload(mira, page, exposed.pfx_password) == 500
    assert "Traceback" in exposed.web.log


@contextlib.contextmanager
def without_table(name: str) -> Iterator[None]:
    """Take a table out of this test's database for a while: no page expects that."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {name}_away RENAME TO {name}")


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "worker killed in step 5"])
def test_no_secret_is_found_anywhere(
    exposed: Exposed, mira: Person, jonas: Person, tom: Person, killed: bool
) -> None:
    requester = exposed.visitor(mira)
    exposed.enter_client_secret(exposed.visitor(tom))
    job = planned(exposed, requester, draft(exposed, requester))
    if killed:
        exposed.simulator.add_dial(
            where="winrm:CRM-APP01", match=INSTALL, fault="timeout_after", times=1
        )
    assert job.plan is not None
    exposed.plant(requester)
    assert requester.get(f"/jobs/{job.name}/plan/").status_code == 200
    actions.send_for_approval(job, by=mira, reason=exposed.planted)
    actions.approve_job(job, by=jonas, digest=job.plan.digest, proof=job.plan.proof)
    if killed:
        kill_in_step_5(exposed, job)
    exposed.company.carried(job)
    fail_inside(exposed, requester)

    people = people_of_every_role(job.scope)
    places = exposed.places(people, [f"/jobs/{job.name}/log.txt"])
    canaries = exposed.canaries
    assert_searched(places, Canary("planted word", exposed.planted.encode()))
    exposed_by_configuration = {"environments": ("SECRET_KEY",)}
    found = {
        place: [hit for hit in leaks(canaries, data) if not hit.startswith(allowed)]
        for place, data in (places | exposed.others()).items()
        for allowed in [exposed_by_configuration.get(place, ("-",))]
    }
    assert {place: hits for place, hits in found.items() if hits} == {}
    assert_messages_clean(exposed, canaries)
    assert_transport_clean(exposed, places)


def assert_searched(places: dict[str, bytes], planted: Canary) -> None:
    """The search finds what was put into each place, and logs were as talkative as they can be."""
    assert all(b"DEBUG" in data for place, data in places.items() if place.startswith("log worker"))
    missed = [place for place, data in places.items() if not leaks([planted], data)]
    assert missed == []


def assert_messages_clean(exposed: Exposed, canaries: list[Canary]) -> None:
    """The uploaded file and its password never travel; a re-wrapped file does, once a server."""
    messages = exposed.messages()
    thumbprint = Canary("thumbprint", exposed.issued.thumbprint_sha1.encode())
    assert f"{INSTALL} -PfxBytes" in messages, sorted(messages)
    assert_searched(
        {kind: messages[kind] for kind in ("request", "answer", "sent", "received")}, thumbprint
    )
    found = {kind: leaks(canaries, data) for kind, data in messages.items()}
    assert {kind: hits for kind, hits in found.items() if hits} == {}


def assert_transport_clean(exposed: Exposed, places: dict[str, bytes]) -> None:
    """The re-wrapped file and its password of one use stand in their own message alone."""
    messages = exposed.messages()
    passwords = messages.pop(f"{INSTALL} -TransportPassword").split()
    assert len(set(passwords)) == len(passwords) >= 2
    canaries = [Canary(f"transport password {n}", word) for n, word in enumerate(passwords)]
    found = {place: leaks(canaries, data) for place, data in (places | messages).items()}
    assert {place: hits for place, hits in found.items() if hits} == {}
    pfx = messages.pop(f"{INSTALL} -PfxBytes")
    rewrapped = [Canary("re-wrapped file", pfx[len(pfx) // 8 :][:48])]
    assert leaks(rewrapped, messages["sent"])
    assert {place for place, data in places.items() if leaks(rewrapped, data)} == set()
