"""docs/settings.md tells every setting with the default that the code has."""

from __future__ import annotations

import re

from tests.production.shipped import ROOT, example_settings, settings_read

_ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.M)
_SECONDS = re.compile(r'env\.seconds\(\s*"([A-Z0-9_]+)",\s*([0-9 *]+)\)')
_FLAG = re.compile(r'env\.flag\("([A-Z0-9_]+)"\)')
CODE = (ROOT / "portal" / "settings.py").read_text()
# name -> meaning, default, unit
ROWS = {row[0]: row[1:] for row in _ROW.findall((ROOT / "docs" / "settings.md").read_text())}


def test_every_setting_is_told_and_no_other() -> None:
    assert set(ROWS) == set(settings_read())


def test_durations_and_switches_are_told_as_they_are() -> None:
    for name, product in _SECONDS.findall(CODE):
        value = 1
        for factor in product.split("*"):
            value *= int(factor)
        assert ROWS[name][1:] == (f"`{value}`", "seconds"), name
    for name in _FLAG.findall(CODE):
        assert ROWS[name][1:] == ("`no`", "yes, no"), name


def test_secrets_are_told_to_be_files() -> None:
    secrets = re.findall(r'env\.secret\(\s*"([A-Z0-9_]+)"', CODE)
    assert {name for name, row in ROWS.items() if row[2] == "file"} == set(secrets)


def test_example_holds_no_secret() -> None:
    assert not {name for name in example_settings() if ROWS.get(name, ("", "", ""))[2] == "file"}
