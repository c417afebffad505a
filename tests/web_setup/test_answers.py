from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.access.models import Person
from portal.audit.models import Entry
from sync_setup.models import RecordedAnswer
from tests.web_setup.conftest import As
from tests.web_setup.world import Company

URL = "/organizations/contososales/answers/"


def test_an_answer_is_kept_with_person_time_and_ticket(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)
    sent = {
        "other-consumers-answer": "ready",
        "other-consumers-remark": "SharePoint has it, says Nadia",
        "other-consumers-ticket": "CHG-7",
    }

    answer = browser.post(f"{URL}other-consumers/", sent, follow=True)

    kept = RecordedAnswer.objects.get()
    assert (kept.answer, kept.person, kept.ticket) == ("ready", mira, "CHG-7")
    page = answer.content.decode()
    assert "Others use it and have the new key" in page
    assert "SharePoint has it, says Nadia" in page
    assert Entry.objects.filter(event="answer.recorded", actor=mira).exists()


def test_the_newest_answer_counts_and_earlier_ones_stay(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)
    for value in ("no", "none"):
        browser.post(f"{URL}other-consumers/", {"other-consumers-answer": value})

    page = browser.get(URL).content.decode()

    assert page.index("Nothing else uses it") < page.index("1 earlier answer")
    assert "Others use it and do not have it" in page


def test_an_old_answer_is_shown_as_old(company: Company, mira: Person, as_: As) -> None:
    browser = as_(mira)
    browser.post(f"{URL}ews-allow-list/", {"ews-allow-list-answer": "yes"})
    RecordedAnswer.objects.update(at=timezone.now() - timedelta(days=40))

    assert "Old answer" in browser.get(URL).content.decode()


def test_no_answer_and_an_unknown_one_are_refused_and_what_was_typed_stays(
    company: Company, mira: Person, as_: As
) -> None:
    browser = as_(mira)

    for value in ("", "perhaps"):
        sent = {"ews-allow-list-answer": value, "ews-allow-list-remark": "Nadia looked"}
        answer = browser.post(f"{URL}ews-allow-list/", sent)
        assert answer.status_code == 422
        assert "Choose one of the answers." in answer.content.decode()
        assert 'value="Nadia looked"' in answer.content.decode()
    assert browser.post(f"{URL}unheard-of/", {}).status_code == 404
    assert not RecordedAnswer.objects.exists()


def test_who_may_only_look_reads_answers_and_records_none(
    company: Company, vera: Person, outsider: Person, as_: As
) -> None:
    sent = {"ews-allow-list-answer": "yes"}

    assert as_(vera).post(f"{URL}ews-allow-list/", sent).status_code == 403
    assert as_(outsider).post(f"{URL}ews-allow-list/", sent).status_code == 404
    assert "needs the role Requester" in as_(vera).get(URL).content.decode()
    assert not RecordedAnswer.objects.exists()


def test_a_bookmark_of_the_form_leads_to_the_page(company: Company, mira: Person, as_: As) -> None:
    assert as_(mira).get(f"{URL}ews-allow-list/").headers["Location"] == URL
