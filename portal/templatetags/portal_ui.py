"""How states, instants, durations and thumbprints are written on every page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateformat import format as written
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.access.models import Person
from portal.audit.record import request_number
from portal.jobs.lines import grouped
from portal.jobs.models import CheckResult, Job, JobStep
from portal.jobs.states import JobState, Look, StepState, Verdict, look_of

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the page's sprite; the word beside it says what it means."""
    turning = " spin" if name == "spin" else ""
    return format_html(
        '<svg class="i{}" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-{}"/></svg>',
        turning,
        name,
    )


@register.simple_tag
def chip(colour: str, icon_name: str, word: str, extra: str = "") -> SafeString:
    """Write a state as icon, word and colour; never colour alone."""
    return format_html('<span class="st {} {}">{}{}</span>', colour, extra, icon(icon_name), word)


@register.simple_tag
def status(thing: Any, extra: str = "") -> SafeString:
    """Write the state of a job, a step or a check, or a state itself."""
    look = look_at(thing)
    return chip(look.colour, look.icon, look.word, extra)


@register.filter
def colour(thing: Any) -> str:
    """Give the colour of a state, for a row that carries it."""
    return look_at(thing).colour


@register.filter
def icon_of(thing: Any) -> str:
    """Give the icon of a state, for a row that carries it."""
    return look_at(thing).icon


def look_at(thing: Any) -> Look:
    """Give word, colour and icon of a job, a step, a check, or a state.

    :raises TypeError: for anything that has no state.
    """
    match thing:
        case Job():
            return look_of(JobState(thing.state))
        case JobStep():
            return look_of(StepState(thing.state))
        case CheckResult():
            return look_of(Verdict(thing.verdict))
        case JobState() | StepState() | Verdict():
            return look_of(thing)
    raise TypeError(f"{type(thing).__name__} has no state.")


_FORMS = {
    "full": "j M Y, H:i",
    "second": "j M Y, H:i:s",
    "clock": "H:i:s",
    "minute": "H:i",
    "day": "D j M Y",
    "weekday": "D j M",
}


@register.simple_tag
def instant(at: datetime | None, form: str = "short") -> SafeString:
    """Write an instant in the reader's zone, with UTC in its title; nothing for None.

    :param form: short (today, 11:42), full, second, clock, minute, day or weekday.
    """
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    shown = _short(local) if form == "short" else written(local, _FORMS[form])
    return _time(at, shown)


def _short(local: datetime) -> str:
    days = (timezone.localdate() - local.date()).days
    if days == 0:
        return f"today, {written(local, 'H:i')}"
    if days == 1:
        return f"yesterday, {written(local, 'H:i')}"
    return written(local, "j M Y, H:i" if local.year != timezone.localdate().year else "D j M, H:i")


@register.simple_tag
def utc(at: datetime) -> SafeString:
    """Write the time of day in UTC, for tables that show both."""
    return _time(at, f"{at.astimezone(UTC):%H:%M:%S} UTC")


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """Write how long ago something was, up to an hour; the instant itself from then on."""
    if at is None:
        return SafeString("")
    seconds = (timezone.now() - at).total_seconds()
    if not 0 <= seconds < 3600:
        return instant(at)
    return _time(
        at, "just now" if seconds < 5 else f"{duration(seconds // 60 * 60 or seconds)} ago"
    )


def _time(at: datetime, shown: str) -> SafeString:
    moment = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        f"{moment:%Y-%m-%d %H:%M:%S}",
        shown,
    )


@register.filter
def duration(seconds: float | None) -> str:
    """Write seconds as "7 s", "1 min 7 s", "24 h", "2 h 5 min" or "3 d 4 h"; nothing for None."""
    if seconds is None:
        return ""
    left = max(0, round(seconds))
    for size, unit, smaller_size, smaller in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if left >= size * (2 if unit == "d" else 1):
            rest = left % size // smaller_size
            return f"{left // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{left} s"


@register.filter
def thumbprint(value: str) -> str:
    """Write a thumbprint in groups of four, as people compare it."""
    plain = re.sub(r"[\s:]", "", value).upper()
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


@register.filter
def breakable(value: str) -> SafeString:
    """Let a long name break after its dots and between its words, and nowhere else."""
    parts = re.split(r"(?<=[.\\/_])|(?<=[a-z])(?=[A-Z])", grouped(value))
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in parts))


@register.filter
def text_lines(value: str) -> list[str]:
    """Give the lines of a text that say something."""
    return [line.strip() for line in value.splitlines() if line.strip()]


@register.filter
def named_for(person: Person | None, reader: Any) -> str:
    """Name a person; "you" for the reader."""
    if person is None:
        return "the portal"
    return "you" if person == reader else str(person)


@register.filter
def names(people: list[Person]) -> str:
    """Write people as "Ana, Jonas or Lena"."""
    words = [str(person) for person in people]
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


@register.simple_tag
def zone() -> str:
    """Name the zone in which this page's times are."""
    current = timezone.get_current_timezone()
    return str(getattr(current, "key", current))


_LEVELS = {
    "success": ("green", "check"),
    "warning": ("amber", "warn"),
    "error": ("red", "x"),
}


@register.filter
def level_colour(level: str) -> str:
    """Give the colour of a message's level."""
    return _LEVELS.get(level, ("blue", "info"))[0]


@register.filter
def level_icon(level: str) -> str:
    """Give the icon of a message's level."""
    return _LEVELS.get(level, ("blue", "info"))[1]


_ADDRESS = re.compile(r"(https://[^\s<>\"']+[^\s<>\"'.,;:)])")


@register.filter
def linked(text: str) -> SafeString:
    """Write a text with its https addresses as links; nothing else in it becomes markup."""
    parts = _ADDRESS.split(text)
    return format_html_join(
        "",
        "{}",
        (
            (format_html('<a href="{0}" rel="noreferrer">{0}</a>', part) if place % 2 else part,)
            for place, part in enumerate(parts)
        ),
    )


@register.simple_tag
def this_request() -> str:
    """Give the number of the request that is being answered, as it stands in history and logs."""
    return request_number.get()
