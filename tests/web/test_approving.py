from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from portal.access.models import Person
from portal.jobs import actions
from portal.jobs.claim import database_clock
from portal.jobs.models import Approval, Job
from portal.jobs.states import JobState
from tests.web.conftest import As, Draft
from tests.web.paper import carry_out_checks


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def digest_on(text: str) -> str:
    """Give the digest that the page's form carries."""
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', text)
    assert found is not None
    return found.group(1)


def test_requester_and_approver_read_the_same_plan(
    waiting: Job, mira: Person, jonas: Person, as_: As
) -> None:
    address = reverse("jobs:review", args=[waiting.number])

    def plan(text: str) -> str:
        return text[text.index('id="plan"') : text.index('id="job-checks"')]

    asked, decides = as_(mira).get(address).text, as_(jonas).get(address).text

    assert plan(asked) == plan(decides)
    for words in (
        "4 changes: 2 add, 2 change, 0 remove",
        "<del>red</del> → <ins>green</ins>",
        "known after step 1",
        "Makes the paper green, so that everybody sees it.",
        '<a href="https://learn.microsoft.com/paper"',
        "<b>To undo:</b> The old colour is written again.",
        "<b>Cannot be undone.</b>",
        "<b>Who notices:</b> Readers see another colour.",
        "Seen: days left 12",
    ):
        assert words in plan(asked), words


def test_the_page_says_what_approving_does(waiting: Job, jonas: Person, as_: As) -> None:
    text = as_(jonas).get(reverse("jobs:review", args=[waiting.number])).text

    assert "<title>Approve J-" in text
    for words in (
        "The red hurts.",
        "A worker starts it at once.",
        "There is no estimate yet",
        "Whoever reads it.",
        "The other papers.",
        "Step 2: Burn the edge",
        "It is yellow.",
        "1 check passed",
    ):
        assert words in text, words


def test_an_approver_types_the_last_characters_and_the_job_is_due(
    waiting: Job, jonas: Person, as_: As
) -> None:
    browser = as_(jonas)
    page = browser.get(reverse("jobs:review", args=[waiting.number])).text

    done = browser.post(
        reverse("jobs:approve", args=[waiting.number]),
        {"digest": digest_on(page), "proof": " 7e42 "},
        follow=True,
    )

    assert done.redirect_chain == [(f"/jobs/{waiting.name}/", 302)]
    assert f"{waiting.name} approved: exactly this plan, for one run." in done.text
    assert state_of(waiting) == JobState.APPROVED
    assert "approved by you" in done.text


@pytest.mark.parametrize("proof", ["", "0000", "E421"])
def test_a_wrong_proof_decides_nothing_and_says_so_at_its_field(
    proof: str, waiting: Job, jonas: Person, as_: As
) -> None:
    assert waiting.plan is not None

    refused = as_(jonas).post(
        reverse("jobs:approve", args=[waiting.number]),
        {"digest": waiting.plan.digest, "proof": proof},
    )

    assert refused.status_code == 422
    assert "<title>Error: Approve" in refused.text
    assert 'id="id_proof_error"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert 'role="alert" tabindex="-1" autofocus' in refused.text
    assert f'value="{proof}"' in refused.text or not proof
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_a_requester_sees_who_can_approve_and_can_withdraw(
    waiting: Job, mira: Person, jonas: Person, lena: Person, as_: As
) -> None:
    browser = as_(mira)
    text = browser.get(reverse("jobs:review", args=[waiting.number])).text

    assert "Jonas or Lena can approve this." in text
    assert "Approve this plan" not in text
    done = browser.post(reverse("jobs:withdraw", args=[waiting.number]), follow=True)
    assert "It is a draft again." in done.text
    assert state_of(waiting) == JobState.DRAFT


def test_nobody_approves_their_own_request_not_even_with_every_role(
    waiting: Job, mira: Person, as_: As
) -> None:
    for role in ("approver", "admin"):
        mira.grants.create(role=role, scope=None, source="portal")
    assert waiting.plan is not None
    browser = as_(mira)

    page = browser.get(reverse("jobs:review", args=[waiting.number])).text
    refused = browser.post(
        reverse("jobs:approve", args=[waiting.number]),
        {"digest": waiting.plan.digest, "proof": "7E42"},
    )

    assert "Nobody can approve this yet." in page
    assert refused.status_code == 403
    assert "SSS-OWN-REQUEST" in refused.text
    assert not Approval.objects.exists()


def test_whoever_uploaded_the_certificate_reads_why_they_cannot_decide(
    draft: Draft, mira: Person, jonas: Person, lena: Person, as_: As
) -> None:
    job = actions.send_for_approval(draft(uploader=jonas.pk), by=mira, reason="why")

    text = as_(jonas).get(reverse("jobs:review", args=[job.number])).text

    assert "You uploaded the certificate, so somebody else decides." in text
    assert "Lena can approve this." in text
    assert job.name not in as_(jonas).get(reverse("jobs:approvals")).text


def test_a_plan_that_changed_meanwhile_is_refused_with_what_differs(
    waiting: Job, mira: Person, jonas: Person, as_: As
) -> None:
    browser = as_(jonas)
    read = digest_on(browser.get(reverse("jobs:review", args=[waiting.number])).text)
    job = actions.withdraw_job(waiting, by=mira)
    job = actions.change_inputs(job, by=mira, colour="blue")
    job = carry_out_checks(actions.ask_for_checks(job, by=mira))
    actions.send_for_approval(job, by=mira, reason="again")

    for deed, more in (("approve", {"proof": "7E42"}), ("reject", {"comment": "no"})):
        refused = browser.post(reverse(f"jobs:{deed}", args=[job.number]), {"digest": read, **more})

        assert refused.status_code == 409
        assert "The plan has changed since you opened it" in refused.text
        assert "<del>red</del> → <ins>blue</ins>" in refused.text
        assert digest_on(refused.text) != read
    assert state_of(job) == JobState.AWAITING_APPROVAL


def test_a_second_decision_comes_too_late(approved: Job, lena: Person, as_: As) -> None:
    assert approved.plan is not None

    late = as_(lena).post(
        reverse("jobs:approve", args=[approved.number]),
        {"digest": approved.plan.digest, "proof": "7E42"},
        headers={"Referer": "http://testserver/approvals/"},
    )

    assert late.status_code == 409
    assert "Nothing was changed by this request." in late.text
    assert 'href="http://testserver/approvals/"' in late.text


@pytest.mark.parametrize(
    ("deed", "state", "words"),
    [
        ("send-back", JobState.CHANGES_REQUESTED, "Jonas asks for changes"),
        ("reject", JobState.REJECTED, "rejected by Jonas"),
    ],
)
def test_a_no_comes_with_a_comment_that_the_requester_reads(
    deed: str, state: JobState, words: str, waiting: Job, mira: Person, jonas: Person, as_: As
) -> None:
    assert waiting.plan is not None
    address = reverse(f"jobs:{deed}", args=[waiting.number])
    digest = waiting.plan.digest

    silent = as_(jonas).post(address, {"digest": digest, "comment": " "})
    assert silent.status_code == 422
    assert "Say what is to be changed." in silent.text
    as_(jonas).post(address, {"digest": digest, "comment": "Use <2048> bits."})

    assert state_of(waiting) == state
    text = as_(mira).get(reverse("jobs:job", args=[waiting.number])).text
    assert words in text
    assert "Use &lt;2048&gt; bits." in text


def test_what_was_sent_back_says_by_whom_and_why(
    waiting: Job, mira: Person, jonas: Person, as_: As
) -> None:
    assert waiting.plan is not None
    actions.send_back_job(waiting, by=jonas, digest=waiting.plan.digest, comment="Other colour.")

    text = as_(mira).get(reverse("jobs:job", args=[waiting.number])).text

    assert "Jonas asks for changes" in text
    assert "Other colour." in text
    assert "Send for approval" not in text
    assert "Check again" in text


@pytest.mark.parametrize(
    "name", ["check", "send", "withdraw", "approve", "send-back", "reject", "continue", "settle"]
)
def test_no_address_of_a_deed_does_anything_when_it_is_opened(
    name: str, waiting: Job, jonas: Person, as_: As
) -> None:
    response = as_(jonas).get(reverse(f"jobs:{name}", args=[waiting.number]))

    assert response.status_code == 302
    assert response["Location"] == f"/jobs/{waiting.name}/"
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_a_window_that_has_passed_is_said_and_nothing_typed_is_lost(
    waiting: Job, mira: Person, jonas: Person, as_: As
) -> None:
    browser, address = as_(jonas), reverse("jobs:review", args=[waiting.number])
    digest = digest_on(browser.get(address).text)
    fields = {"digest": digest, "proof": "7E42", "comment": "Long thought."}
    now = database_clock()
    Job.objects.update(
        window_starts_at=now - timedelta(hours=2), window_ends_at=now - timedelta(minutes=1)
    )

    refused = browser.post(reverse("jobs:approve", args=[waiting.number]), fields)
    opened = browser.get(address).text
    own = as_(mira).get(address).text

    assert refused.status_code == 422
    assert "The change window of this plan has passed." in refused.text
    assert "Long thought.</textarea>" in refused.text
    assert 'value="7E42"' in refused.text
    assert "The change window has passed" in opened
    assert "Approve this plan" not in opened
    assert "Send it back, so that Mira names another window." in opened
    assert "Withdraw it and send it with another window." in own
    assert state_of(waiting) == JobState.AWAITING_APPROVAL


def test_approvals_show_what_waits_first_to_expire_first(
    waiting: Job, draft: Draft, mira: Person, jonas: Person, as_: As
) -> None:
    now = database_clock()
    soon = actions.send_for_approval(
        draft(), by=mira, reason="soon", window=(now, now + timedelta(hours=1))
    )
    browser = as_(jonas)

    mine = browser.get(reverse("jobs:approvals")).text
    theirs = as_(mira).get(reverse("jobs:approvals")).text

    assert mine.index(f">{soon.name}: ") < mine.index(f">{waiting.name}: ")
    assert "4 changes: 2 add, 2 change, 0 remove" in mine
    assert 'Waiting for me <span class="n">2</span>' in mine
    assert 'Waiting for me <span class="n">0</span>' in theirs
    assert f">{soon.name}: " in theirs  # all that waits is what they see first


def test_decided_ones_stay_readable(approved: Job, jonas: Person, as_: As) -> None:
    text = as_(jonas).get(reverse("jobs:approvals"), {"tab": "decided"}).text

    assert f"{approved.name} approved by you" in text
