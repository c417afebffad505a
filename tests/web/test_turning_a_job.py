"""Cancel, retry and undo on a job's pages: what each says before its button, and what the button does."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from pytest_django.fixtures import Settings

from portal.access.models import Person, Scope
from portal.errors import BadInput
from portal.jobs import actions
from portal.jobs.models import ApprovalPolicy, ApprovalUse, Job, JobStep
from portal.jobs.policy import set_policy
from portal.jobs.states import JobState, StepState
from tests.web.conftest import As, Draft
from tests.web.paper import carry_out_checks
from tests.web.test_job_pages import FAILURE, put

TURNS = ("cancel", "retry", "undo")


@pytest.fixture
def begun(approved: Job) -> Job:
    """A job whose first step has changed something, and whose second one has not begun."""
    assert approved.plan is not None
    ApprovalUse.objects.create(approval=approved.plan.approvals.get(), job=approved, fence=1)
    first = JobStep.objects.filter(job=approved, position=1)
    first.update(
        state=StepState.DONE,
        changed=True,
        intent_at=Now(),
        ended_at=Now(),
        after={"colour": "green", "marks": ["old", "new"]},
    )
    return put(approved, JobState.RUNNING, started_at=Now())


def address(turn: str, job: Job) -> str:
    return reverse(f"jobs:{turn}", args=[job.number])


def test_cancel_says_what_stays_and_has_the_job_end(begun: Job, jonas: Person, as_: As) -> None:
    browser = as_(jonas)
    assert address("cancel", begun) in browser.get(reverse("jobs:job", args=[begun.number])).text

    page = browser.get(address("cancel", begun)).text
    assert "<li>Step 1: Write the colour</li>" in page
    assert "Not begun, and not done then: Burn the edge." in page
    assert Job.objects.get(pk=begun.pk).cancel_asked_at is None

    browser.post(address("cancel", begun))
    found = Job.objects.get(pk=begun.pk)
    assert found.cancel_asked_at is not None
    assert found.state == JobState.CANCELLING
    assert browser.get(address("cancel", begun)).status_code == 302


def test_retry_names_the_step_and_the_approval_it_goes_on_under(
    begun: Job, mira: Person, as_: As
) -> None:
    put(begun, JobState.FAILED, failure=FAILURE | {"position": 2}, ended_at=Now())
    browser = as_(mira)
    assert "Retry from step 2…" in browser.get(reverse("jobs:job", args=[begun.number])).text

    page = browser.get(address("retry", begun)).text
    assert "It goes on at step 2: Burn the edge." in page
    assert "The 1 step before that was verified and is looked at again first." in page
    assert "The approval still holds" in page
    assert "Approved by Jonas." in page

    browser.post(address("retry", begun))
    assert Job.objects.get(pk=begun.pk).state == JobState.QUEUED


def test_retry_says_that_an_approval_is_gone(
    begun: Job, mira: Person, as_: As, settings: Settings
) -> None:
    settings.APPROVAL_LIFE_S = 0
    put(begun, JobState.FAILED, failure=FAILURE, ended_at=Now())
    browser = as_(mira)

    page = browser.get(address("retry", begun)).text
    assert "The approval no longer holds." in page
    assert "Make a new plan" in page
    assert f'action="{address("retry", begun)}"' not in page

    assert browser.post(address("retry", begun)).status_code == 409
    assert Job.objects.get(pk=begun.pk).state == JobState.FAILED


def test_undo_names_what_goes_back_and_what_stays_then_drafts_its_job(
    begun: Job, mira: Person, as_: As
) -> None:
    JobStep.objects.filter(job=begun, position=2).update(
        state=StepState.DONE, changed=True, after={"burnt": True, "stamp": None}
    )
    put(begun, JobState.SUCCEEDED, ended_at=Now())
    browser = as_(mira)
    assert address("undo", begun) in browser.get(reverse("jobs:job", args=[begun.number])).text

    page = browser.get(address("undo", begun)).text
    assert "<ol><li>Write the colour</li></ol>" in page
    assert "<li>Burn the edge: What is burnt stays burnt.</li>" in page
    assert Job.objects.count() == 1

    sent = browser.post(address("undo", begun))
    undo = Job.objects.exclude(pk=begun.pk).get()
    assert sent["Location"] == reverse("jobs:job", args=[undo.number])
    assert (undo.kind, undo.inputs, undo.requester) == ("undo-job", {"of": begun.number}, mira)
    undo = carry_out_checks(undo)
    assert undo.plan is not None
    page = browser.get(reverse("jobs:job", args=[undo.number])).text
    assert f"Undo {begun.name}" in page
    assert "What stays of it" in page
    assert "What is burnt stays burnt." in page


@pytest.mark.parametrize("turn", TURNS)
def test_who_only_looks_turns_nothing(begun: Job, vera: Person, as_: As, turn: str) -> None:
    state = JobState.RUNNING if turn == "cancel" else JobState.FAILED
    put(begun, state, failure=None if turn == "cancel" else FAILURE)
    browser = as_(vera)

    assert address(turn, begun) not in browser.get(reverse("jobs:job", args=[begun.number])).text
    assert browser.get(address(turn, begun)).status_code == 302
    assert browser.post(address(turn, begun)).status_code == 403
    assert Job.objects.get(pk=begun.pk).state == state
    assert Job.objects.count() == 1


@pytest.mark.parametrize("turn", TURNS)
def test_a_job_of_others_is_not_there(begun: Job, outsider: Person, as_: As, turn: str) -> None:
    assert as_(outsider).get(address(turn, begun)).status_code == 404
    assert as_(outsider).post(address(turn, begun)).status_code == 404


def test_the_second_approver_reads_who_gave_the_first(
    draft: Draft, scope: Scope, mira: Person, jonas: Person, lena: Person, as_: As
) -> None:
    ApprovalPolicy.objects.create(scope=scope, kind="", approvers=2)
    job = actions.send_for_approval(draft(), by=mira, reason="The red hurts.")
    assert job.plan is not None
    review = reverse("jobs:review", args=[job.number])
    assert "0 of 2 approvals given." in as_(jonas).get(review).text

    actions.approve_job(job, by=jonas, digest=job.plan.digest, proof="7e42")

    assert "1 of 2 approvals given by Jonas." in as_(lena).get(review).text
    assert "Approve this plan" in as_(lena).get(review).text
    assert "Approve this plan" not in as_(jonas).get(review).text


def test_one_person_mode_is_named_on_every_page_of_whoever_sees_the_scope(
    scope: Scope, mira: Person, outsider: Person, as_: As
) -> None:
    assert scope.is_simulated
    assert "One-person mode" not in as_(mira).get("/").text

    ApprovalPolicy.objects.create(scope=scope, kind="", approvers=0)

    for page in ("/", reverse("jobs:list"), reverse("audit:list")):
        assert f"One-person mode <span>{scope.title}:" in as_(mira).get(page).text, page
    assert "One-person mode" not in as_(outsider).get("/").text


def test_a_policy_is_of_a_kind_that_somebody_approves(scope: Scope, mira: Person) -> None:
    mira.grants.create(role="admin", scope=None, source="portal")
    with pytest.raises(BadInput, match="no kind of plan 'nothing'"):
        set_policy(scope, "nothing", 2, by=mira)
    with pytest.raises(BadInput):
        set_policy(scope, "undo-job", 2, by=mira)
    set_policy(scope, "toy", 2, by=mira)
    assert ApprovalPolicy.objects.get().approvers == 2
