from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from portal.access.models import Person
from portal.audit.models import Entry
from portal.jobs.models import Job
from portal.jobs.states import JobState
from tests.web.conftest import As

LOOKS = ["job", "live", "review", "log", "log-text"]
DEEDS = [
    "check",
    "send",
    "withdraw",
    "approve",
    "send-back",
    "reject",
    "continue",
    "draft-again",
    "settle",
]


@pytest.mark.parametrize("name", LOOKS)
def test_a_job_of_another_organization_is_not_there(
    name: str, waiting: Job, outsider: Person, as_: As
) -> None:
    response = as_(outsider).get(reverse(f"jobs:{name}", args=[waiting.number]))

    assert response.status_code == 404
    assert waiting.scope.title not in response.text


@pytest.mark.parametrize("name", DEEDS)
def test_nobody_does_anything_to_a_job_of_another_organization(
    name: str, waiting: Job, outsider: Person, as_: As
) -> None:
    assert waiting.plan is not None
    response = as_(outsider).post(
        reverse(f"jobs:{name}", args=[waiting.number]),
        {
            "digest": waiting.plan.digest,
            "proof": "7E42",
            "comment": "no",
            "reason": "x",
            "when": "now",
        },
    )

    assert response.status_code == 404
    waiting.refresh_from_db()
    assert waiting.state == JobState.AWAITING_APPROVAL


def test_a_number_that_does_not_exist_looks_the_same(
    waiting: Job, outsider: Person, as_: As
) -> None:
    there = as_(outsider).get(reverse("jobs:job", args=[waiting.number]))
    not_there = as_(outsider).get(reverse("jobs:job", args=[waiting.number + 1000]))

    assert there.status_code == not_there.status_code == 404
    assert there.text.count(waiting.name) == not_there.text.count(f"J-{waiting.number + 1000}")


@pytest.mark.parametrize("name", ["overview", "jobs:list", "jobs:approvals", "audit:list"])
def test_lists_show_nothing_of_another_organization(
    name: str, waiting: Job, outsider: Person, as_: As
) -> None:
    response = as_(outsider).get(reverse(name))

    assert response.status_code == 200
    assert f"/jobs/{waiting.name}/" not in response.text
    assert waiting.scope.title not in response.text


def test_a_line_of_history_of_another_organization_is_not_there(
    waiting: Job, outsider: Person, mira: Person, as_: As
) -> None:
    line = Entry.objects.filter(job_number=waiting.number).earliest("pk")
    address = reverse("audit:entry", args=[line.pk])

    assert as_(outsider).get(address).status_code == 404
    assert as_(mira).get(address).status_code == 200


@pytest.mark.parametrize("name", [*LOOKS, *DEEDS])
def test_whoever_is_not_signed_in_is_sent_to_the_door(name: str, waiting: Job) -> None:
    address = reverse(f"jobs:{name}", args=[waiting.number])
    response = Client().get(address)

    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/?next=/jobs/J-")


def test_viewers_see_everything_and_no_button(
    waiting: Job, vera: Person, jonas: Person, as_: As
) -> None:
    text = as_(vera).get(reverse("jobs:review", args=[waiting.number])).text

    assert "Jonas can approve this." in text
    for words in ("Approve this plan", "Send back", "Withdraw"):
        assert words not in text


def test_viewers_cannot_decide_by_posting_either(waiting: Job, vera: Person, as_: As) -> None:
    assert waiting.plan is not None
    response = as_(vera).post(
        reverse("jobs:approve", args=[waiting.number]),
        {"digest": waiting.plan.digest, "proof": "7E42"},
    )

    assert response.status_code == 403
    assert "needs the role Approver" in response.text
