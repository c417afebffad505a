from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from portal.access.models import Person
from portal.jobs.states import JobState, StepState, Verdict
from portal.templatetags import portal_ui

AT = datetime(2026, 11, 23, 10, 42, 51, tzinfo=UTC)


def render(text: str, **context: object) -> str:
    return Template(text).render(Context(context))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (7.4, "7 s"),
        (67, "1 min 7 s"),
        (120, "2 min"),
        (7500, "2 h 5 min"),
        (86400, "24 h"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert portal_ui.duration(seconds) == text


def test_no_duration_is_nothing() -> None:
    assert portal_ui.duration(None) == ""


def test_a_thumbprint_stands_in_groups_of_four() -> None:
    assert portal_ui.thumbprint("9f:2c 41d7 8b03") == "9F2C 41D7 8B03"


def test_an_instant_is_shown_in_the_readers_zone_with_utc_in_its_title() -> None:
    with timezone.override("Europe/Berlin"):
        shown = render('{% instant at "full" %}', at=AT)

    assert shown == (
        '<time datetime="2026-11-23T10:42:51Z" title="2026-11-23 10:42:51 UTC">23 Nov 2026, 11:42</time>'
    )
    assert render('{% instant at "full" %}', at=None) == ""


def test_what_just_happened_says_how_long_ago() -> None:
    now = timezone.now()

    assert ">4 min ago</time>" in render("{% ago at %}", at=now - timedelta(minutes=4, seconds=9))
    assert ">30 s ago</time>" in render("{% ago at %}", at=now - timedelta(seconds=30))
    assert " ago" not in render("{% ago at %}", at=now - timedelta(hours=2))
    assert " ago" not in render("{% ago at %}", at=now + timedelta(hours=2))


def test_the_history_shows_utc_beside_it() -> None:
    assert "10:42:51 UTC</time>" in render("{% utc at %}", at=AT)


def test_long_names_break_between_their_words_only() -> None:
    assert (
        portal_ui.breakable("ServerSettings.S2SDefaultUrl")
        == "Server<wbr>Settings.<wbr>S2SDefault<wbr>Url"
    )
    assert portal_ui.breakable("<b>") == "&lt;b&gt;"


def test_addresses_become_links_and_nothing_else_becomes_markup() -> None:
    shown = portal_ui.linked(
        'Open https://x.example/a?b=1&c. Not <script> or javascript:alert("1")'
    )

    assert '<a href="https://x.example/a?b=1&amp;c" rel="noreferrer">' in shown
    assert "&lt;script&gt;" in shown
    assert shown.count("<a ") == 1


@pytest.mark.parametrize("state", [*JobState, *StepState, *Verdict])
def test_every_state_is_an_icon_a_word_and_a_colour(state: JobState | StepState | Verdict) -> None:
    shown = render("{% status state %}", state=state)

    look = portal_ui.look_at(state)
    assert f'class="st {look.colour} ' in shown
    assert f"#i-{look.icon}" in shown
    assert look.word in shown


def test_what_has_no_state_is_refused() -> None:
    with pytest.raises(TypeError):
        portal_ui.look_at("running")


def test_people_are_named_for_the_reader() -> None:
    mira, jonas = Person(pk=1, name="Mira"), Person(pk=2, name="Jonas")

    assert portal_ui.named_for(mira, mira) == "you"
    assert portal_ui.named_for(jonas, mira) == "Jonas"
    assert portal_ui.named_for(None, mira) == "the portal"
    assert portal_ui.names([]) == ""
    assert portal_ui.names([mira]) == "Mira"
    assert portal_ui.names([mira, jonas, Person(name="Lena")]) == "Mira, Jonas or Lena"
