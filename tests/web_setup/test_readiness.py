from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync_setup.presentation.readiness import Readiness, Said, Surroundings, readiness_of
from sync_setup.recorded import QUESTIONS
from tests.web_setup.world import LINKS, link

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = {key: Said(question.good[0], "Mira", NOW) for key, question in QUESTIONS.items()}
PROVED = Surroundings(answers=GOOD, proved=("J-7", NOW), mailboxes=3)
ENABLED = {"unique_name": "ContosoSales", "version": "9.1", "state": "Enabled"}
NAME = "ContosoSales"


def of(around: Surroundings = PROVED, **links: str) -> Readiness:
    rows = [link(key, links.get(key.replace("-", "_"), "done")) for key in LINKS]
    return readiness_of({"links": rows, "organization": ENABLED}, around, NAME, NOW)


def test_all_is_ready_when_everything_was_read_answered_and_proved() -> None:
    shown = of()

    assert shown.look.word == "Ready"
    assert shown.done == shown.total == 16


@pytest.mark.parametrize(
    ("state", "word"),
    [("failing", "Failing"), ("cannot_check", "Look at this"), ("to_do", "1 to do")],
)
def test_the_worst_item_speaks_for_all(state: str, word: str) -> None:
    assert of(tenant_id=state).look.word == word


def test_nothing_read_is_not_nothing_wrong() -> None:
    shown = readiness_of(None, PROVED, NAME, NOW)

    assert shown.look.word == "Not read yet"
    assert [group.title for group in shown.groups] == ["Prerequisites"]


def test_an_organization_that_is_disabled_missing_or_unread_is_told_apart() -> None:
    words = [
        readiness_of({"links": [], "organization": found}, PROVED, NAME, NOW).items[0]
        for found in (ENABLED | {"state": "Disabled"}, {}, {"error": "No answer.", "code": "SSS-X"})
    ]

    assert [item.look.word for item in words] == ["Failing", "Failing", "Cannot check"]
    assert "exactly ContosoSales" in words[1].text


def test_answers_are_judged_by_what_they_say_and_how_old_they_are() -> None:
    old = NOW - timedelta(days=31)
    said = {
        "exchange-support-switch": Said("asked", "Mira", NOW),
        "other-consumers": Said("ready", "Mira", old),
    }
    items = {item.key: item for item in readiness_of(None, Surroundings(said), NAME, NOW).items}

    assert items["ews-allow-list"].look.word == "To do"
    assert items["exchange-support-switch"].look.word == "To do"
    assert items["other-consumers"].look.word == "Old answer"
    assert items["other-consumers"].is_done


def test_a_bad_answer_stands_in_the_way() -> None:
    said = {"other-consumers": Said("no", "Mira", NOW)}

    item = readiness_of(None, Surroundings(said), NAME, NOW).items[-1]

    assert item.look.word == "Failing"
    assert not item.is_done


def test_ews_counts_down_and_ends() -> None:
    def item(now: datetime) -> tuple[str, bool]:
        said = {"ews-allow-list": Said("yes", "Mira", now)}
        found = readiness_of(None, Surroundings(said), NAME, now).items[0]
        return found.look.word, found.is_done

    assert item(NOW) == ("Ends in 128 days", True)
    assert item(datetime(2027, 3, 31, 12, tzinfo=UTC)) == ("Ends in 1 day", True)
    assert item(datetime(2027, 4, 1, 12, tzinfo=UTC)) == ("Ended", False)


def test_a_link_that_ends_says_when() -> None:
    rows = [link("certificate", "ends_soon", "On CRM-APP01.", until="2026-12-14")]

    found = readiness_of({"links": rows, "organization": ENABLED}, PROVED, NAME, NOW)

    item = next(item for item in found.items if item.key == "certificate")
    assert item.look.word == "Ends in 20 days"
    assert item.text == "On CRM-APP01, until 14 Dec 2026."
