from __future__ import annotations

import pytest

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.models import CheckResult, Job
from portal.jobs.states import JobState
from tests.web_setup.conftest import As, certificate_of, upload
from tests.web_setup.world import Company, Samples, plan, put

CANARY = "Canary-PFX-41!"
STEPS = ("certificate", "inspection", "preflight", "plan")


def step(job: Job, name: str) -> str:
    return f"/jobs/{job.name}/{name}/"


def test_a_new_setup_is_a_draft_at_once(company: Company, mira: Person, as_: As) -> None:
    answer = as_(mira).post("/jobs/new/", {"org": company.sales.scope.slug})

    job = Job.objects.get()
    assert (job.kind, job.state, job.requester) == ("connect-organization", JobState.DRAFT, mira)
    assert answer.headers["Location"] == step(job, "certificate")


def test_looking_at_the_form_makes_no_draft(company: Company, mira: Person, as_: As) -> None:
    page = as_(mira).get("/jobs/new/?org=contososales").content.decode()

    assert '<option value="contososales" selected>' in page
    assert not Job.objects.exists()


@pytest.mark.parametrize("org", ["", "nowhere", "ContosoSales", "contososales'\n", "$(org)"])
def test_no_draft_is_made_for_what_is_no_organization(
    company: Company, mira: Person, as_: As, org: str
) -> None:
    answer = as_(mira).post("/jobs/new/", {"org": org})

    assert answer.status_code == 422
    assert "Put this right first" in answer.content.decode()
    assert not Job.objects.exists()


def test_who_may_only_look_is_told_the_role_that_is_missing(
    company: Company, vera: Person, outsider: Person, as_: As
) -> None:
    for person in (vera, outsider):
        browser = as_(person)
        assert "contososales" not in browser.get("/jobs/new/").content.decode()
        assert browser.post("/jobs/new/", {"org": "contososales"}).status_code == 422
    assert "the role Requester" in as_(vera).get("/jobs/new/").content.decode()
    assert not Job.objects.exists()


def test_drafts_that_are_open_are_offered_to_go_on_with(draft: Job, mira: Person, as_: As) -> None:
    page = as_(mira).get("/jobs/new/").content.decode()

    assert f'Go on<span class="vh"> with {draft.name}</span>' in page


@pytest.mark.parametrize("name", STEPS)
def test_the_steps_of_a_draft_are_its_requesters_alone(
    draft: Job, jonas: Person, outsider: Person, as_: As, name: str
) -> None:
    anothers = as_(jonas).get(step(draft, name))

    assert anothers.headers["Location"] == f"/jobs/{draft.name}/"
    assert as_(outsider).get(step(draft, name)).status_code == 404


def test_steps_that_cannot_be_opened_yet_lead_to_the_one_that_can(
    draft: Job, mira: Person, as_: As
) -> None:
    browser = as_(mira)

    assert browser.get(step(draft, "inspection")).headers["Location"] == step(draft, "certificate")
    assert browser.get(step(draft, "plan")).headers["Location"] == step(draft, "preflight")
    page = browser.get(step(draft, "preflight")).content.decode()
    assert "There is no certificate yet" in page


def test_the_jobs_page_leads_its_requester_to_where_the_draft_stands(
    inspected: Job, mira: Person, as_: As
) -> None:
    browser, page = as_(mira), f"/jobs/{inspected.name}/"

    assert browser.get(page).headers["Location"] == step(inspected, "inspection")
    CheckResult.objects.create(job=inspected, position=1, key="a", verdict="block", finding="No.")
    assert browser.get(page).headers["Location"] == step(inspected, "preflight")
    plan(inspected, ("set-token-issuer", True))
    assert browser.get(page).headers["Location"] == step(inspected, "plan")
    put(inspected, JobState.CHECKING)
    assert browser.get(page).headers["Location"] == step(inspected, "preflight") + "?run=1"


@pytest.mark.parametrize("name", STEPS)
def test_every_step_can_be_opened_again_and_changes_nothing(
    inspected: Job, mira: Person, as_: As, name: str
) -> None:
    plan(inspected, ("set-token-issuer", True))
    before = (inspected.state, inspected.inputs, inspected.plan_id)
    browser = as_(mira)

    statuses = [browser.get(step(inspected, name)).status_code for _ in range(2)]

    inspected.refresh_from_db()
    assert statuses == [200, 200]
    assert (inspected.state, inspected.inputs, inspected.plan_id) == before


def test_while_checks_run_nothing_can_be_changed(
    inspected: Job, mira: Person, as_: As, samples: Samples
) -> None:
    before = certificate_of(inspected)
    put(inspected, JobState.CHECKING)
    browser = as_(mira)

    assert upload(browser, inspected, samples, "self-signed") == 302

    assert certificate_of(inspected).pk == before.pk
    for name in ("certificate", "inspection", "plan"):
        answer = browser.get(step(inspected, name))
        assert answer.headers["Location"] == step(inspected, "preflight")


def test_the_plan_page_shows_the_plan_the_certificate_and_who_decides(
    inspected: Job, mira: Person, jonas: Person, as_: As
) -> None:
    plan(inspected, ("set-token-issuer", True))

    page = as_(mira).get(step(inspected, "plan")).content.decode()

    assert "Step set-token-issuer" in page
    assert certificate_of(inspected).thumbprint in page
    assert "Goes to Jonas" in page
    assert "asynchronous services restart" in page


def test_sending_from_the_plan_page_puts_it_before_the_approvers(
    inspected: Job, mira: Person, as_: As
) -> None:
    plan(inspected, ("set-token-issuer", True))
    fields = {"reason": "It ends soon.", "ticket": "CHG-1", "when": "now"}

    answer = as_(mira).post(f"/jobs/{inspected.name}/send/", fields)

    inspected.refresh_from_db()
    assert inspected.state == JobState.AWAITING_APPROVAL
    assert answer.headers["Location"] == f"/jobs/{inspected.name}/review/"


def test_a_plan_that_was_sent_back_is_a_draft_again_with_the_comment_on_every_step(
    inspected: Job, mira: Person, jonas: Person, as_: As
) -> None:
    made = plan(inspected, ("set-token-issuer", True))
    sent = actions.send_for_approval(inspected, by=mira, reason="It ends soon.")
    comment = "Use the 2048-bit certificate."
    actions.send_back_job(sent, by=jonas, digest=made.digest, comment=comment)
    browser = as_(mira)

    for name in ("certificate", "inspection", "preflight"):
        page = browser.get(step(inspected, name)).content.decode()
        assert comment in page
        assert "Jonas asks for changes" in page
    assert browser.get(step(inspected, "plan")).headers["Location"] == step(inspected, "preflight")


def test_the_steps_of_a_job_that_was_sent_lead_to_its_page(
    inspected: Job, mira: Person, as_: As
) -> None:
    plan(inspected, ("set-token-issuer", True))
    put(inspected, JobState.AWAITING_APPROVAL)

    for name in STEPS:
        answer = as_(mira).get(step(inspected, name))
        assert answer.headers["Location"] == f"/jobs/{inspected.name}/"


def test_a_plan_that_is_not_sent_stays_on_its_step_with_what_was_typed(
    inspected: Job, mira: Person, as_: As
) -> None:
    plan(inspected, ("set-token-issuer", True), uploader=mira)
    browser, page = as_(mira), step(inspected, "plan")
    assert f'action="{page}"' in browser.get(page).content.decode()

    answer = browser.post(page, {"reason": "", "ticket": "CHG-9", "when": "window"})

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: " in text
    assert 'aria-label="Steps"' in text
    assert "the approver decides by it" in text
    assert 'value="CHG-9"' in text
    assert "Say when." in text
    sent = browser.post(page, {"reason": "Renewal", "when": "now"})
    inspected.refresh_from_db()
    assert sent.headers["Location"] == f"/jobs/{inspected.name}/review/"
    assert inspected.state == JobState.AWAITING_APPROVAL
