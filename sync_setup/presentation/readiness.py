"""How ready an organization is: from what was last read, answered and proved to the items of its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from portal.jobs.states import Look
from sync_setup import ews
from sync_setup.recorded import EWS_ALLOW_LIST, QUESTIONS, STALE_AFTER_DAYS, Question

DONE = Look("Done", "green", "check")
TO_DO = Look("To do", "grey", "dot")
FAILING = Look("Failing", "red", "x")
CANNOT_CHECK = Look("Cannot check", "amber", "quest")
OLD_ANSWER = Look("Old answer", "amber", "clock")
_OF_LINK = {"done": DONE, "to_do": TO_DO, "failing": FAILING, "cannot_check": CANNOT_CHECK}


@dataclass(frozen=True)
class Said:
    """What a person answered to a question, and when."""

    answer: str
    by: str
    at: datetime
    remark: str = ""
    ticket: str = ""


@dataclass(frozen=True)
class Item:
    """One thing that has to be so.

    :param is_done: whether it counts as done; what only ends some day is done until then.
    :param in_job: name of the job that is going to do it, such as J-1042.
    :param at: when somebody said or proved it; None where the reading's own age counts.
    :param link: key of the page on which it is dealt with: "answers", "profiles", or none.
    """

    key: str
    title: str
    look: Look
    text: str
    is_done: bool = False
    in_job: str = ""
    detail: tuple[tuple[str, str], ...] = ()
    by: str = ""
    at: datetime | None = None
    link: str = ""


@dataclass(frozen=True)
class Group:
    """Items of one kind, in the order in which they matter."""

    number: int
    title: str
    items: tuple[Item, ...]

    @property
    def done(self) -> int:
        return sum(item.is_done for item in self.items)


@dataclass(frozen=True)
class Readiness:
    """All items of one organization."""

    groups: tuple[Group, ...]
    was_read: bool

    @property
    def items(self) -> list[Item]:
        return [item for group in self.groups for item in group.items]

    @property
    def done(self) -> int:
        return sum(item.is_done for item in self.items)

    @property
    def total(self) -> int:
        return len(self.items)

    @property
    def look(self) -> Look:
        """Say in one word how the organization stands: what is worst first."""
        if not self.was_read:
            return Look("Not read yet", "grey", "dot")
        chain = [item for item in self.items if not item.is_done]
        for colour, word, icon in (("red", "Failing", "x"), ("amber", "Look at this", "warn")):
            if any(item.look.colour == colour for item in chain):
                return Look(word, colour, icon)
        if chain:
            return Look(f"{len(chain)} to do", "grey", "dot")
        return Look("Ready", "green", "check")


@dataclass(frozen=True)
class Surroundings:
    """What the database knows beside the reading.

    :param answers: the newest answer to each question.
    :param proved: when a job last proved the organization with a pilot mailbox, and which; None: never.
    :param read_back: by key of a link, words of a job that read it back, where the portal cannot look now.
    :param in_jobs: by key of an item, the job that is going to do it.
    :param mailboxes: how many mailboxes are on an active profile of the kind Exchange Online (Hybrid).
    """

    answers: Mapping[str, Said] = field(default_factory=dict)
    proved: tuple[str, datetime] | None = None
    read_back: Mapping[str, str] = field(default_factory=dict)
    in_jobs: Mapping[str, str] = field(default_factory=dict)
    mailboxes: int = 0


def readiness_of(
    facts: Mapping[str, Any] | None, around: Surroundings, unique_name: str, now: datetime
) -> Readiness:
    """Write the items of an organization.

    :param facts: what was last read (Reading.facts); None when nothing was read yet.
    """
    prerequisites = [*_organization(facts, unique_name), *_answers(around.answers, now)]
    groups = [Group(1, "Prerequisites", tuple(prerequisites))]
    if facts is not None:
        links = [_link(link, around, now.date()) for link in facts.get("links", ())]
        groups.append(Group(2, "Trust chain, link by link", tuple(links)))
        groups.append(Group(3, "Email", (_proof(around), _mailboxes(around.mailboxes))))
    return Readiness(tuple(groups), facts is not None)


def _organization(facts: Mapping[str, Any] | None, unique_name: str) -> Iterable[Item]:
    if facts is None:
        return
    found = facts.get("organization") or {}
    title = "CRM deployment and organization"
    if "error" in found:
        text = f"{found['error']} ({found.get('code', '')})"
        yield Item("organization", title, CANNOT_CHECK, text)
    elif not found:
        text = f"The deployment has no organization named exactly {unique_name}."
        yield Item("organization", title, FAILING, text)
    else:
        enabled = found.get("state") == "Enabled"
        text = f"{found['unique_name']}, version {found.get('version')}, {found.get('state')}."
        yield Item("organization", title, DONE if enabled else FAILING, text, is_done=enabled)


def _answers(answers: Mapping[str, Said], now: datetime) -> Iterable[Item]:
    for question in QUESTIONS.values():
        yield _answer(question, answers.get(question.key), now)


def _answer(question: Question, said: Said | None, now: datetime) -> Item:
    if said is None:
        text = f"Nobody has answered yet. {question.who} knows."
        return Item(question.key, question.title, TO_DO, text, link="answers")
    look, done = _judge(question, said, now)
    words = question.words(said.answer)
    return Item(
        question.key,
        question.title,
        look,
        f"{words}: {said.remark}" if said.remark else f"{words}.",
        is_done=done,
        by=said.by,
        at=said.at,
        link="answers",
    )


def _judge(question: Question, said: Said, now: datetime) -> tuple[Look, bool]:
    if said.answer in question.open:
        return TO_DO, False
    if said.answer not in question.good:
        return FAILING, False
    if (now - said.at).days > STALE_AFTER_DAYS:
        return OLD_ANSWER, True
    if question is EWS_ALLOW_LIST:
        return _ends_in(ews.days_left(now.date())), ews.days_left(now.date()) > 0
    return DONE, True


def _link(link: Mapping[str, Any], around: Surroundings, today: date) -> Item:
    key, state, text = str(link["key"]), str(link["state"]), str(link["text"])
    look, done = _OF_LINK.get(state, CANNOT_CHECK), state == "done"
    if state == "ends_soon":
        look = _ends_in((date.fromisoformat(link["until"]) - today).days)
    if state == "cannot_check" and key in around.read_back:
        # Tenant access is handed back after each job, so nobody can look; what a job read back counts.
        look, done, text = DONE, True, around.read_back[key]
    elif link.get("until"):
        text = f"{text.rstrip('.')}, until {_day(date.fromisoformat(link['until']))}."
    return Item(
        key,
        ("= " if key in _SAME else "") + str(link["title"]),
        look,
        text,
        is_done=done,
        in_job="" if done else around.in_jobs.get(key, ""),
        detail=tuple((str(k), str(v)) for k, v in (link.get("detail") or {}).items()),
        link="profiles" if key == "profile" else "",
    )


# What must be the same certificate as the token issuer, all along the chain.
_SAME = ("certificate", "key-spec", "readers", "subject", "entra-key", "tenant-id", "profile")


def _proof(around: Surroundings) -> Item:
    title = "Proved with a pilot mailbox"
    if around.proved is None:
        text = "No job of this portal has tested a mailbox of this organization yet."
        in_job = around.in_jobs.get("pilot", "")
        return Item("pilot", title, TO_DO, text, in_job=in_job)
    job, at = around.proved
    text = f"{job}: three results say Success, and a sync cycle brought no alert."
    return Item("pilot", title, DONE, text, is_done=True, at=at)


def _mailboxes(count: int) -> Item:
    title = "Mailboxes on a profile of this kind"
    if not count:
        return Item("mailboxes", title, TO_DO, "No mailbox uses one yet.", link="profiles")
    text = f"{count:,} mailbox{'' if count == 1 else 'es'}."
    return Item("mailboxes", title, DONE, text, is_done=True, link="profiles")


def _ends_in(days: int) -> Look:
    if days <= 0:
        return Look("Ended", "red", "x")
    return Look(f"Ends in {days} day{'' if days == 1 else 's'}", "amber", "warn")


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
