"""What no interface tells: the recorded answers of named people."""

from __future__ import annotations

from typing import Any

from portal.jobs.checks import Found
from portal.jobs.states import Verdict
from sync_setup import recorded
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import ANSWERS, SetupCheck
from sync_setup.models import RecordedAnswer
from sync_setup.recorded import STALE_AFTER_DAYS, Question


class AnswerRecorded(SetupCheck):
    """A person has answered, in the way that lets a plan go on, and not too long ago."""

    group = ANSWERS
    question: Question

    def judge(self, seen: Readings) -> Found:
        return judge_answer(seen, self.question)


class EwsAllowList(AnswerRecorded):
    """The portal cannot read the EWS settings of a tenant: Exchange gives them to its own PowerShell alone."""

    question = recorded.EWS_ALLOW_LIST
    key = question.key
    title = question.title
    source = question.source


class ExchangeSupportSwitch(AnswerRecorded):
    """Whether Exchange Online takes tokens of Dynamics on-premises at all is told by no interface."""

    question = recorded.EXCHANGE_SUPPORT_SWITCH
    key = question.key
    title = question.title
    source = question.source


def judge_answer(seen: Readings, question: Question) -> Found:
    """Judge the newest answer to a question."""
    answer = recorded.newest(seen.context.organization, question.key)
    if answer is None:
        return Found(
            Verdict.TO_RECORD,
            f"{question.who} has to answer: {question.text}",
            {},
            to_record(question),
        )
    evidence = evidence_of(answer, question)
    said = (
        f"{answer.person.name} answered “{question.words(answer.answer)}” on {answer.at:%Y-%m-%d}."
    )
    if answer.answer in question.open:
        return Found(Verdict.TO_RECORD, said, evidence, to_record(question))
    if answer.answer not in question.good:
        return Found(Verdict.BLOCK, said, evidence, to_record(question))
    days = recorded.age_days(answer, seen.now)
    if days > STALE_AFTER_DAYS:
        return Found(
            Verdict.WARN,
            f"{said} That was {days} days ago.",
            evidence,
            f"Let it be looked at again: {question.text}\n{RECORD}",
        )
    return Found(Verdict.PASS, said, evidence)


RECORD = "Record the answer on the organization's page: who looked, when, and the ticket."


def to_record(question: Question) -> str:
    """Give the way to a good answer, one line a step."""
    return f"{question.how}\n{RECORD}"


def evidence_of(answer: RecordedAnswer, question: Question) -> dict[str, Any]:
    """Say who answered what, and when."""
    return {
        "answer": question.words(answer.answer),
        "who": answer.person.name,
        "when": f"{answer.at:%Y-%m-%d %H:%M} UTC",
        "ticket": answer.ticket or None,
        "remark": answer.remark or None,
    }
