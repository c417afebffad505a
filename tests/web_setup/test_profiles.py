from __future__ import annotations

from typing import Any

import pytest

from portal.access.models import Person
from portal.jobs.models import Job
from portal.jobs.states import JobState
from sync_setup.models import ServerProfile
from tests.web_setup.conftest import As
from tests.web_setup.world import EWS_URL, Company, profile

LIST = "/organizations/contososales/profiles/"


def url(row: ServerProfile, page: str = "") -> str:
    return f"{LIST}{row.profile_id}/{page}"


def form_of(row: ServerProfile, **changes: Any) -> dict[str, Any]:
    """What a browser sends when only these fields are changed."""
    fields = dict(row.fields) | {"processemailsreceivedafter": "2026-11-23T11:00"} | changes
    return {
        name: value for name, value in fields.items() if value is not None and value is not False
    }


def test_the_list_tells_kind_state_standard_and_mailboxes(
    company: Company, vera: Person, as_: As
) -> None:
    profile(company.sales, "Good one")
    profile(company.sales, "Off", statecode=1, incomingportnumber=444)
    profile(company.sales, "Old exchange", servertype=0)
    profile(company.service, "Of others")

    page = as_(vera).get(LIST).content.decode()

    for words in ("As a setup makes it", "2 differ", "Another kind", "Inactive", "Exchange Server"):
        assert words in page
    assert "Of others" not in page
    assert "New profile" not in page


def test_a_profile_shows_every_field_in_words_beside_the_standard_and_its_mailboxes(
    company: Company, vera: Person, as_: As
) -> None:
    row = profile(company.sales, incomingserverlocation="https://old.example/ews")

    page = as_(vera).get(url(row)).content.decode()

    assert "Server to server authentication" in page
    assert "1 differ from what a setup makes" in page
    assert "Ada Lovelace" in page
    assert "Deactivate" not in page


def test_a_profile_of_another_organization_or_a_gone_one_is_not_there(
    company: Company, mira: Person, as_: As
) -> None:
    others, gone = profile(company.service), profile(company.sales)
    ServerProfile.objects.filter(pk=gone.pk).update(is_gone=True)

    for row in (others, gone):
        for page in ("", "change/"):
            assert as_(mira).get(url(row, page)).status_code == 404
        assert as_(mira).post(url(row, "state/"), {"state": "inactive"}).status_code == 404
    assert not Job.objects.exists()


def test_only_what_differs_goes_into_the_plan(company: Company, mira: Person, as_: As) -> None:
    row = profile(company.sales)
    sent = form_of(row, incomingportnumber=444, sendemailalert=False, name="Hybrid 2")

    answer = as_(mira).post(url(row, "change/"), sent)

    job = Job.objects.get()
    assert answer.headers["Location"] == f"/jobs/{job.name}/"
    assert (job.kind, job.state) == ("change-server-profile", JobState.DRAFT)
    assert job.inputs["profile_id"] == str(row.profile_id)
    assert job.inputs["values"] == {
        "name": "Hybrid 2",
        "incomingportnumber": 444,
        "sendemailalert": False,
    }


def test_a_time_is_kept_as_dynamics_has_it(company: Company, mira: Person, as_: As) -> None:
    row = profile(company.sales)

    # The page's times are those of Europe/Berlin, one hour before UTC.
    as_(mira).post(url(row, "change/"), form_of(row, processemailsreceivedafter="2026-11-24T12:30"))

    values = Job.objects.get().inputs["values"]
    assert values == {"processemailsreceivedafter": "2026-11-24T11:30:00Z"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Nothing was changed."),
        ({"name": ""}, "required"),
        ({"name": "x" * 101}, "at most 100"),
        ({"incomingportnumber": 0}, "greater than or equal to 1"),
        ({"incomingportnumber": "https"}, "whole number"),
        ({"incomingcredentialretrieval": 9}, "Select a valid choice"),
        ({"name": "two\nlines"}, "characters"),
    ],
)
def test_a_wrong_value_is_said_at_its_field_and_makes_no_draft(
    company: Company, mira: Person, as_: As, changes: dict[str, Any], words: str
) -> None:
    row = profile(company.sales)

    answer = as_(mira).post(url(row, "change/"), form_of(row, **changes))

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Job.objects.exists()


def test_the_kind_and_state_of_a_profile_are_not_changed_by_its_form(
    company: Company, mira: Person, as_: As
) -> None:
    row = profile(company.sales)

    as_(mira).post(url(row, "change/"), form_of(row, servertype=1, statecode=1, name="New"))

    assert Job.objects.get().inputs["values"] == {"name": "New"}


def test_what_dynamics_has_no_value_for_may_stay_without_one(
    company: Company, mira: Person, as_: As
) -> None:
    unset = dict.fromkeys(
        ("incomingserverlocation", "outgoingportnumber", "incomingcredentialretrieval")
    )
    row = profile(company.sales, "Bare", **unset)

    as_(mira).post(url(row, "change/"), form_of(row, incomingportnumber=444))

    assert Job.objects.get().inputs["values"] == {"incomingportnumber": 444}


@pytest.mark.parametrize(("state", "value"), [("active", 0), ("inactive", 1)])
def test_switching_on_and_off_is_a_plan_too(
    company: Company, mira: Person, as_: As, state: str, value: int
) -> None:
    row = profile(company.sales)

    as_(mira).post(url(row, "state/"), {"state": state})

    assert Job.objects.get().inputs["values"] == {"statecode": value}


def test_one_press_drafts_what_makes_a_profile_as_a_setup_makes_it(
    company: Company, mira: Person, as_: As
) -> None:
    row = profile(company.sales, incomingserverlocation="https://old.example", sendemailalert=False)

    as_(mira).post(url(row, "standard/"))

    values = Job.objects.get().inputs["values"]
    assert values == {"incomingserverlocation": EWS_URL, "sendemailalert": True}


def test_a_new_profile_needs_a_name_and_takes_an_owner(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)

    refused = browser.post(f"{LIST}new/", {"name": ""})
    browser.post(f"{LIST}new/", {"name": "Second", "profile_owner": "ada@contoso.example"})

    assert refused.status_code == 422
    inputs = Job.objects.get().inputs
    assert (inputs["profile_id"], inputs["values"]) == ("", {"name": "Second"})
    assert inputs["profile_owner"] == "ada@contoso.example"


def test_who_may_only_look_drafts_nothing(company: Company, vera: Person, as_: As) -> None:
    row, browser = profile(company.sales), as_(vera)

    answers = [
        browser.post(url(row, "change/"), form_of(row, name="x")),
        browser.post(url(row, "state/"), {"state": "inactive"}),
        browser.post(f"{LIST}new/", {"name": "x"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "This needs the role Requester for ContosoSales." in answers[0].content.decode()
    assert not Job.objects.exists()


def test_the_draft_shows_what_was_chosen_and_the_profile_shows_the_draft(
    company: Company, mira: Person, as_: As
) -> None:
    row, browser = profile(company.sales), as_(mira)
    browser.post(url(row, "change/"), form_of(row, incomingportnumber=444))
    job = Job.objects.get()

    draft = browser.get(f"/jobs/{job.name}/").content.decode()
    page = browser.get(url(row)).content.decode()

    assert "Incoming port" in draft
    assert "444" in draft
    assert f"{job.name} is going to change this profile" in page


def test_actions_on_a_profile_need_a_post(company: Company, mira: Person, as_: As) -> None:
    row = profile(company.sales)

    for page in ("state/", "standard/"):
        assert as_(mira).get(url(row, page)).headers["Location"] == url(row)
    assert not Job.objects.exists()
