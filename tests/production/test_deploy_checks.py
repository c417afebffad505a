"""Django's own list for production finds nothing to say about an installation behind https."""

from __future__ import annotations

import secrets

import pytest

from tests.stack import Stack


@pytest.mark.parametrize("tls", ["yes", "no"])
def test_nothing_is_found_for_an_https_origin(stack: Stack, tls: str) -> None:
    done = stack.command(
        *("check", "--deploy", "--fail-level", "WARNING"),
        DJANGO_SETTINGS_MODULE="portal.settings",
        PORTAL_ORIGIN="https://sss.contoso.example",
        TLS_ENDS_AT_PROXY=tls,
        SECRET_KEY=secrets.token_urlsafe(64),
    )
    # One is silenced, with its reason beside it in the settings.
    assert "no issues (1 silenced)" in done.stdout
