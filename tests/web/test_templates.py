"""Every template keeps the content security policy and the marks that pages and fragments rely on."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

from portal.jobs.states import JobState, StepState, Verdict, look_of

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = (ROOT / "templates" / "_icons.html").read_text()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_in_a_template_needs_an_unsafe_policy(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\sstyle\s*=", text), "inline style"
    assert "<style" not in text
    assert not re.search(r"\son[a-z]+\s*=", text), "inline handler"
    assert "hx-on" not in text
    assert "hx-vars" not in text
    assert "javascript:" not in text
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script, "inline script"
    assert not re.search(
        r'(src|href)="(https?:)?//', text.replace("https://learn.microsoft.com", "")
    ), "another host"
    assert "|safe" not in text
    assert "autoescape off" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_icon_a_template_draws_is_in_the_sprite(path: Path) -> None:
    drawn = re.findall(r'{% icon "([a-z]+)"', path.read_text())
    drawn += re.findall(r'{% chip "[a-z]+" "([a-z]+)"', path.read_text())

    assert [name for name in drawn if f'id="i-{name}"' not in SPRITE] == []


@pytest.mark.parametrize("state", [*JobState, *StepState, *Verdict])
def test_the_icon_of_every_state_is_in_the_sprite(state: JobState | StepState | Verdict) -> None:
    assert f'id="i-{look_of(state).icon}"' in SPRITE


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_form_that_posts_carries_the_token(path: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL):
        assert "{% csrf_token %}" in form


def test_the_style_sheet_and_script_stay_light() -> None:
    def packed(name: str) -> int:
        return len(gzip.compress((ROOT / "static" / name).read_bytes()))

    assert packed("portal.css") <= 10_000
    assert packed("portal.js") <= 5_000
    assert len(gzip.compress(SPRITE.encode())) <= 4_000
