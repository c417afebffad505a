from __future__ import annotations

import datetime as dt

import pytest
from django.utils.timezone import now

from portal.jobs.states import Verdict
from sync_setup import actions, recorded
from sync_setup.checks.answers import AnswerRecorded, EwsAllowList, ExchangeSupportSwitch
from sync_setup.models import RecordedAnswer
from tests.checks.company import Company, expect

CHECKS = (EwsAllowList(), ExchangeSupportSwitch())


def _record(company: Company, question: str, answer: str, *, days_ago: int = 0) -> None:
    RecordedAnswer.objects.create(
        organization=company.organization,
        question=question,
        answer=answer,
        ticket="CHG-4711",
        person=company.requester,
        at=now() - dt.timedelta(days=days_ago),
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.key)
class TestAnswers:
    def test_nobody_has_answered(self, company: Company, check: AnswerRecorded) -> None:
        found = expect(company.find(check), Verdict.TO_RECORD, check.question.who)
        assert "Record the answer" in found.fix

    def test_a_good_answer_shows_who_when_and_ticket(
        self, company: Company, check: AnswerRecorded
    ) -> None:
        _record(company, check.key, "yes")
        found = expect(company.find(check), Verdict.PASS, "Mira answered")
        assert found.evidence["who"] == "Mira"
        assert found.evidence["ticket"] == "CHG-4711"
        assert found.evidence["when"].startswith(f"{now():%Y-%m-%d}")

    def test_no_blocks(self, company: Company, check: AnswerRecorded) -> None:
        _record(company, check.key, "no")
        expect(company.find(check), Verdict.BLOCK, "“No”")

    def test_an_open_answer_stays_open(self, company: Company, check: AnswerRecorded) -> None:
        _record(company, check.key, check.question.open[0])
        expect(company.find(check), Verdict.TO_RECORD)

    def test_an_old_answer_is_a_warning(self, company: Company, check: AnswerRecorded) -> None:
        _record(company, check.key, "yes", days_ago=30)
        expect(company.find(check), Verdict.PASS)
        _record(company, check.key, "yes", days_ago=31)
        RecordedAnswer.objects.filter(question=check.key).order_by("-at")[0].delete()
        expect(company.find(check), Verdict.WARN, "31 days ago")

    def test_the_newest_answer_counts(self, company: Company, check: AnswerRecorded) -> None:
        _record(company, check.key, "no", days_ago=3)
        _record(company, check.key, "yes")
        expect(company.find(check), Verdict.PASS)

    def test_another_organizations_answer_does_not_count(
        self, company: Company, check: AnswerRecorded
    ) -> None:
        _record(company, check.key, "yes")
        found = company.find(check, company.organizations[1])
        expect(found, Verdict.TO_RECORD)


def test_the_ews_commands_come_in_the_order_that_blocks_nobody() -> None:
    how = recorded.EWS_ALLOW_LIST.how
    read, write = how.index("Format-List EwsAllowedAppIDs"), how.index("-EwsAllowedAppIDs")
    assert read < write < how.index("-EwsEnabled $true")


def test_every_answer_of_every_question_is_one_of_three_kinds(company: Company) -> None:
    for question in recorded.QUESTIONS.values():
        values = {value for value, _ in question.answers}
        assert values == {*question.good, *question.open, *question.bad}
        assert question.good
        assert question.bad
        for value in sorted(values):
            actions.record_answer(company.organization, question.key, value, by=company.requester)
            newest = recorded.newest(company.organization, question.key)
            assert newest is not None
            assert question.words(newest.answer) != value
