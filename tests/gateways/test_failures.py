from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.errors import (
    Conflict,
    GatewayError,
    Missing,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from sync_setup.gateways.failures import Origin, clean, from_status, retry_after_s
from sync_setup.gateways.sign_in_failures import adfs_failure, entra_failure

ORIGIN = Origin("Microsoft Graph", "GRAPH", {"403": "Grant it.", "Special": "Do this."})


@pytest.mark.parametrize(
    ("status", "kind", "retries"),
    [
        (301, Rejected, False),
        (302, Rejected, False),
        (400, Rejected, False),
        (401, Refused, False),
        (403, Refused, False),
        (404, Missing, False),
        (405, Rejected, False),
        (408, Unreachable, True),
        (409, Conflict, False),
        (410, Missing, False),
        (412, Conflict, False),
        (413, Rejected, False),
        (422, Rejected, False),
        (429, Throttled, True),
        (500, Rejected, False),
        (502, Unreachable, True),
        (503, Throttled, True),
        (504, Unreachable, True),
    ],
)
def test_each_status_has_its_class(status: int, kind: type[GatewayError], retries: bool) -> None:
    error = from_status(ORIGIN, status)

    assert type(error) is kind
    assert error.retries is retries
    assert error.code == f"SSS-GRAPH-{status}"
    assert error.remedy
    assert error.system == "Microsoft Graph"
    assert error.detail["status"] == str(status)


def test_a_failure_inside_the_system_may_have_changed_something() -> None:
    inside, before = from_status(ORIGIN, 500), from_status(ORIGIN, 400)

    assert isinstance(inside, Rejected)
    assert isinstance(before, Rejected)
    assert (inside.changed, before.changed) == ("Unknown", "No")


def test_the_remedy_of_the_systems_own_code_comes_first() -> None:
    assert from_status(ORIGIN, 403, code="Special").remedy == "Do this."
    assert from_status(ORIGIN, 403).remedy == "Grant it."
    assert from_status(ORIGIN.knowing({"403": "Now this."}), 403).remedy == "Now this."
    assert from_status(ORIGIN, 404).remedy == "Check the address and the name."


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 1.25 "}, 1.25),
        ({"Retry-After": "0"}, 0.0),
        (
            {
                "Retry-After": "Mon, 23 Nov 2026 08:00:30 GMT",
                "Date": "Mon, 23 Nov 2026 08:00:00 GMT",
            },
            30.0,
        ),
        ({"Retry-After": "Mon, 23 Nov 2026 08:00:30 GMT"}, 10.0),
        (
            {
                "Retry-After": "Mon, 23 Nov 2026 07:00:00 GMT",
                "Date": "Mon, 23 Nov 2026 08:00:00 GMT",
            },
            0.0,
        ),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    now = datetime(2026, 11, 23, 8, 0, 20, tzinfo=UTC)

    assert retry_after_s(headers, now) == seconds


def test_the_wait_that_a_system_asks_for_is_kept() -> None:
    assert from_status(ORIGIN, 429, headers={"Retry-After": "2.5"}).retry_after_s == 2.5
    assert from_status(ORIGIN, 503).retry_after_s is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\n two\tthree\x00", "one two three"),
        ("a\u202eb\u200bc", "a b c"),
        ("got eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl today", "got [token] today"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [token]"),
        ("at https://graph.microsoft.com/v1.0/users?$filter=x eq 1", "at https://graph.microsoft.com/v1.0/users?[…] eq 1"),
        ("MII" + "A" * 200, "[data]"),
        ("x y " * 300, ("x y " * 300)[:399] + "…"),
    ],
)  # fmt: skip
def test_words_of_others_are_made_fit_to_show(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("700016", Refused),
        ("7000215", Refused),
        ("7000222", Refused),
        ("700027", Refused),
        ("53003", Refused),
        ("65001", Refused),
        ("90002", Missing),
        ("90033", Throttled),
        ("70008", Rejected),
        ("999999", Rejected),
    ],
)
def test_the_code_of_entra_id_names_the_aadsts_number(
    number: str, kind: type[GatewayError]
) -> None:
    body = {
        "error": "invalid_request",
        "error_description": f"AADSTS{number}: Something. Trace ID: t",
        "trace_id": "t",
    }

    error = entra_failure(ORIGIN, body, {})

    assert type(error) is kind
    assert error.code == f"SSS-GRAPH-AADSTS{number}"
    assert error.detail["trace_id"] == "t"
    assert error.remedy


def test_a_refusal_without_a_number_keeps_its_oauth_word() -> None:
    refused = entra_failure(ORIGIN, {"error": "invalid_client"}, {})
    busy = entra_failure(ORIGIN, {"error": "temporarily_unavailable"}, {})

    assert (type(refused), refused.code) == (Refused, "SSS-GRAPH-INVALID-CLIENT")
    assert type(busy) is Throttled


def test_a_refusal_of_ad_fs_keeps_its_msis_number() -> None:
    body = {"error": "invalid_grant", "error_description": "MSIS9659: Invalid 'username'."}

    error = adfs_failure(Origin("AD FS", "ADFS"), body, {})

    assert (type(error), error.code) == (Refused, "SSS-ADFS-MSIS9659")
    assert adfs_failure(ORIGIN, {"error": "odd_word"}, {}).code == "SSS-GRAPH-ODD-WORD"
