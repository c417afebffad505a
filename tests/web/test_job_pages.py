from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from portal.access.models import Person, Scope
from portal.jobs.models import Job, LogLine, Plan
from portal.jobs.states import CLAIMABLE, JobState, StepState, look_of
from tests.web.conftest import As, Draft

NEVER_HERE = (JobState.AWAITING_APPROVAL, JobState.DRAFT, JobState.CHANGES_REQUESTED)
FAILURE = {
    "message": "Entra ID refused to change the app.",
    "code": "SSS-GRAPH-403",
    "state_now": "Nothing was changed.",
    "fix": "Ask an administrator.\nTry again.",
    "system": "Microsoft Graph",
    "detail": {"status": "403"},
    "position": 1,
}


def put(job: Job, state: str, **fields: Any) -> Job:
    Job.objects.filter(pk=job.pk).update(state=state, **fields)
    return Job.objects.select_related("plan", "scope").get(pk=job.pk)


def say(job: Job, *texts: str, level: str = "info", position: int | None = 1) -> None:
    job.refresh_from_db()
    for seq, text in enumerate(texts, job.log_seq + 1):
        LogLine.objects.create(job=job, seq=seq, position=position, level=level, text=text)
    Job.objects.filter(pk=job.pk).update(log_seq=job.log_seq + len(texts))


@pytest.mark.parametrize("state", [state for state in JobState if state not in NEVER_HERE])
def test_a_job_has_a_page_in_every_state(
    state: JobState, approved: Job, mira: Person, as_: As
) -> None:
    put(approved, state, started_at=Now(), note="Said now.")

    response = as_(mira).get(reverse("jobs:job", args=[approved.number]))

    assert response.status_code == 200
    assert f"<title>{approved.name} {look_of(state).word}" in response.text
    reloads = '<noscript><meta http-equiv="refresh" content="10"></noscript>' in response.text
    assert reloads == (state in CLAIMABLE)
    assert ("data-polls" in response.text) == (state in CLAIMABLE)


@pytest.mark.parametrize("state", NEVER_HERE)
def test_what_waits_is_its_plan_and_what_is_written_is_its_draft(
    state: JobState, waiting: Job, mira: Person, as_: As
) -> None:
    put(waiting, state)

    response = as_(mira).get(reverse("jobs:job", args=[waiting.number]), follow=True)

    assert response.status_code == 200
    assert response.templates[0].name == (
        "jobs/review.html" if state == JobState.AWAITING_APPROVAL else "jobs/draft.html"
    )
    assert look_of(state).word in response.text


def test_a_draft_with_a_wizard_goes_there_for_its_requester_only(
    draft: Draft, mira: Person, vera: Person, as_: As
) -> None:
    job = draft(wizard="/elsewhere/")
    address = reverse("jobs:job", args=[job.number])

    assert as_(mira).get(address)["Location"] == "/elsewhere/"
    seen = as_(vera).get(address)
    assert seen.status_code == 200
    assert "Only they can go on with it." in seen.text


def test_a_draft_whose_checks_stand_in_the_way_says_what_to_do(
    draft: Draft, mira: Person, as_: As
) -> None:
    text = as_(mira).get(reverse("jobs:job", args=[draft(wet=True).number])).text

    assert "1 of 2 checks stand in the way." in text
    assert text.index("It is wet.") < text.index("It is yellow.")
    assert "<li>Wait.</li><li>Touch it.</li>" in text
    assert "Check again" in text
    assert "Send for approval" not in text


def test_a_running_job_shows_steps_progress_and_log(approved: Job, mira: Person, as_: As) -> None:
    put(approved, JobState.RUNNING, started_at=Now())
    approved.steps.filter(position=1).update(
        state=StepState.DONE, started_at=Now(), ended_at=Now(), changed=True
    )
    approved.steps.filter(position=2).update(state=StepState.RUNNING, started_at=Now())
    say(approved, "Step 1 <b>bold</b>", level="head")

    text = as_(mira).get(reverse("jobs:job", args=[approved.number])).text

    assert "Step 2 of 2: Burn the edge" in text
    assert '<progress class="blue" max="2" value="1"' in text
    assert 'href="#L1">1. Write the colour</a>' in text
    assert "no estimate yet" in text
    assert "Step 1 &lt;b&gt;bold&lt;/b&gt;" in text


def test_five_finished_runs_make_an_estimate(
    approved: Job, draft: Draft, mira: Person, as_: As
) -> None:
    for _ in range(5):
        done = put(draft(), JobState.SUCCEEDED, started_at=Now())
        Job.objects.filter(pk=done.pk).update(
            started_at=done.made_at, ended_at=done.made_at + timedelta(minutes=25)
        )
    put(approved, JobState.RUNNING, started_at=Now())

    text = as_(mira).get(reverse("jobs:job", args=[approved.number])).text

    assert "about 25 min left (usually 25 min, 5 runs)" in text


def test_a_failed_job_says_what_happened_the_state_and_the_fix(
    approved: Job, mira: Person, as_: As
) -> None:
    put(approved, JobState.FAILED, failure=FAILURE, started_at=Now(), ended_at=Now())

    text = as_(mira).get(reverse("jobs:job", args=[approved.number])).text

    assert "Entra ID refused to change the app." in text
    assert "SSS-GRAPH-403" in text
    assert "<b>State now.</b> Nothing was changed." in text
    assert "<ol><li>Ask an administrator.</li><li>Try again.</li></ol>" in text
    assert f"SSS Portal, {approved.name}, Contoso, step 1" in text
    assert "status: 403" in text
    assert "data-polls" not in text


def test_what_ended_badly_can_be_planned_anew_by_a_requester(
    approved: Job, mira: Person, jonas: Person, as_: As
) -> None:
    put(approved, JobState.FAILED, failure=FAILURE, started_at=Now(), ended_at=Now())
    address = reverse("jobs:job", args=[approved.number])

    assert "Make a new plan" not in as_(jonas).get(address).text
    assert "Make a new plan" in as_(mira).get(address).text
    done = as_(mira).post(reverse("jobs:draft-again", args=[approved.number]), follow=True)

    again = Job.objects.latest("number")
    assert f"{again.name} drafted: it starts from what is there now." in done.text
    assert (again.state, again.inputs) == (JobState.DRAFT, approved.inputs)


def test_drift_is_shown_field_by_field(approved: Job, mira: Person, as_: As) -> None:
    drift = [{"field": "colour", "before": "red", "wanted": "green", "now": "blue"}]
    put(approved, JobState.PLAN_STALE, failure=FAILURE | {"drift": drift}, ended_at=Now())

    text = as_(mira).get(reverse("jobs:job", args=[approved.number])).text

    assert '<td data-l="Now" class="mono">blue</td>' in text


@pytest.mark.parametrize(
    ("state", "words", "said"),
    [
        (JobState.NEEDS_PERSON, "Done, go on", "goes on: it looks first."),
        (JobState.OUTCOME_UNKNOWN, "Check what happened", "looks again; nothing is changed by it."),
    ],
)
def test_whoever_may_let_a_stopped_job_go_on_gets_the_button(
    state: JobState, words: str, said: str, approved: Job, jonas: Person, vera: Person, as_: As
) -> None:
    put(approved, state, note="Open the door.\nClose it.", failure=FAILURE, started_at=Now())
    address = reverse("jobs:job", args=[approved.number])

    assert words in as_(jonas).get(address).text
    assert words not in as_(vera).get(address).text
    done = as_(jonas).post(reverse("jobs:continue", args=[approved.number]), follow=True)
    assert f"{approved.name} {said}" in done.text
    assert put(approved, JobState.RUNNING).run_after is not None


def test_who_takes_part_records_what_they_found_where_the_outcome_is_unknown(
    approved: Job, jonas: Person, vera: Person, as_: As
) -> None:
    put(approved, JobState.OUTCOME_UNKNOWN, failure=FAILURE, started_at=Now())
    address = reverse("jobs:job", args=[approved.number])
    settle = reverse("jobs:settle", args=[approved.number])

    assert "Record what you found" in as_(jonas).get(address).text
    assert "Record what you found" not in as_(vera).get(address).text
    short = as_(jonas).post(settle, {"found": "<there>"})
    foreign = as_(vera).post(settle, {"found": "It is there, as wanted."})
    done = as_(jonas).post(settle, {"found": "It is there, as wanted."}, follow=True)

    assert short.status_code == 422
    assert "<title>Error: " in short.text
    assert "&lt;there&gt;</textarea>" in short.text
    assert foreign.status_code == 403
    assert f"{approved.name} has ended with what you found." in done.text
    assert "A person looked: It is there, as wanted." in done.text
    assert put(approved, JobState.FAILED).ended_at is not None


def test_an_instruction_of_several_lines_is_numbered(approved: Job, mira: Person, as_: As) -> None:
    put(approved, JobState.NEEDS_PERSON, note="Open the door.\nClose it.", started_at=Now())

    text = as_(mira).get(reverse("jobs:job", args=[approved.number])).text

    assert "<ol><li>Open the door.</li><li>Close it.</li></ol>" in text


def test_a_finished_job_reports_what_was_read_back(approved: Job, mira: Person, as_: As) -> None:
    put(approved, JobState.SUCCEEDED, started_at=Now(), ended_at=Now())
    approved.steps.update(
        state=StepState.DONE,
        started_at=Now(),
        ended_at=Now(),
        changed=True,
        after={"colour": "green"},
    )

    text = as_(mira).get(reverse("jobs:job", args=[approved.number])).text

    assert "Done and read back" in text
    assert "<del>red</del> → <ins>green</ins>" in text


def test_a_kind_that_this_release_no_longer_has_stays_readable(
    scope: Scope, mira: Person, as_: As
) -> None:
    job = Job.objects.create(kind="long-gone", scope=scope, requester=mira)
    plan = Plan.objects.create(
        job=job,
        kind="long-gone",
        kind_version=1,
        canonical="{}",
        digest="0" * 64,
        requester=mira,
        writes=True,
    )
    put(put(job, JobState.DRAFT, plan=plan), JobState.SUCCEEDED, ended_at=Now())

    for name in ("jobs:job", "jobs:review"):
        assert "long-gone: Contoso" in as_(mira).get(reverse(name, args=[job.number])).text


def test_the_list_keeps_what_is_asked_for(
    draft: Draft, approved: Job, mira: Person, scope: Scope, as_: As
) -> None:
    written = draft()
    browser = as_(mira)

    def shown(query: str) -> set[str]:
        text = browser.get(f"/jobs/?{query}").text
        return {job.name for job in (written, approved) if f">{job.name}: " in text}

    assert shown("") == {written.name, approved.name}
    assert shown("state=working") == {approved.name}
    assert shown("state=writing&kind=paper&scope=contoso&mine=on") == {written.name}
    assert shown("kind=toy") == set()
    assert shown("state=nonsense&scope=nowhere&before=x") == {written.name, approved.name}


def test_the_log_is_found_over_all_steps_and_downloaded_whole(
    approved: Job, mira: Person, as_: As
) -> None:
    say(approved, *[f"line {number}" for number in range(600)])
    say(approved, "something odd", level="warning")
    browser = as_(mira)

    put(approved, JobState.RUNNING, started_at=Now())
    page = browser.get(reverse("jobs:job", args=[approved.number])).text
    assert 'id="L102"' in page
    assert 'id="L101"' not in page
    assert "?to=101" in page
    found = browser.get(reverse("jobs:log", args=[approved.number]), {"q": "LINE 599"}).text
    assert "1 of 601 lines" in found
    assert 'id="L600"' in found
    problems = browser.get(reverse("jobs:log", args=[approved.number]), {"problems": "on"}).text
    assert "1 of 601 lines" in problems
    part = browser.get(reverse("jobs:log", args=[approved.number]), {"to": "150"}).text
    assert 'id="L150"' in part
    assert 'id="L151"' not in part
    whole = browser.get(reverse("jobs:log-text", args=[approved.number]))
    text = b"".join(whole.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.count("\n") == 602
    assert f'filename="{approved.name}-log.txt"' in whole["Content-Disposition"]
