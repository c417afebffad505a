from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import BadInput, Garbled
from sync_setup.gateways.failures import Origin
from sync_setup.gateways.odata import (
    Query,
    compare,
    contains,
    either,
    every,
    literal,
    record_path,
    same_host,
    same_id,
)

ID = "11111111-2222-3333-4444-555555555555"
ORIGIN = Origin("Dynamics", "CRM")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("O'Brien", "'O''Brien'"),
        ("') or (1 eq 1", "''') or (1 eq 1'"),
        ("%27", "'%27'"),
        ("\U0001f600", "'\U0001f600'"),
        (True, "true"),
        (7, "7"),
        (None, "null"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "2026-11-23T08:00:00.000Z"),
    ],
)
def test_a_value_becomes_a_literal(value: str | int | bool | datetime | None, written: str) -> None:
    assert literal(value) == written


@pytest.mark.parametrize("value", ["a\nb", "a\x00b", "\u2028", "\ud800", datetime(2026, 1, 1)])  # noqa: DTZ001
def test_a_value_that_cannot_be_written_is_refused(value: str | datetime) -> None:
    with pytest.raises(BadInput):
        literal(value)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))))
def test_no_text_ends_its_own_literal(text: str) -> None:
    inside = literal(text)[1:-1]

    assert inside.replace("''", "").count("'") == 0
    assert inside.replace("''", "'") == text


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=50))
def test_no_text_becomes_part_of_the_url(text: str) -> None:
    encoded = Query(filter=compare("name", "eq", text)).encoded()

    assert encoded.startswith("?$filter=")
    assert encoded.count("&") == 0
    assert encoded.count("#") == 0
    assert unquote(encoded.removeprefix("?$filter=")) == f"name eq {literal(text)}"


@pytest.mark.parametrize("name", ["", "na me", "name'", "a/b", "1a", "a)", "a" * 101])
def test_only_names_stand_where_names_belong(name: str) -> None:
    with pytest.raises(BadInput):
        compare(name, "eq", 1)
    with pytest.raises(BadInput):
        Query(select=(name,)).encoded()
    with pytest.raises(BadInput):
        record_path(name, ID)


@pytest.mark.parametrize("record_id", ["", "1", ID.upper() + "'", f"{ID})/x", "{" + ID + "}"])
def test_only_ids_stand_where_ids_belong(record_id: str) -> None:
    with pytest.raises(BadInput):
        record_path("mailboxes", record_id)
    with pytest.raises(BadInput):
        same_id("mailboxid", record_id)


def test_conditions_are_put_together_without_changing_their_meaning() -> None:
    active = compare("statecode", "eq", 0)
    named = either(contains("name", "a"), contains("emailaddress", "a"))

    assert every(active, named) == (
        "statecode eq 0 and ((contains(name,'a')) or (contains(emailaddress,'a')))"
    )
    assert record_path("mailboxes", ID) == f"mailboxes({ID})"
    with pytest.raises(BadInput):
        compare("statecode", "or 1 eq", 0)


def test_a_query_is_written_in_one_order() -> None:
    query = Query(("name", "mailboxid"), same_id("mailboxid", ID), "createdon", True, 5)

    assert query.encoded() == (
        f"?$select=name,mailboxid&$filter=mailboxid%20eq%20{ID}&$orderby=createdon%20desc&$top=5"
    )
    assert Query().encoded() == ""


def test_the_link_to_the_next_page_stays_on_its_host() -> None:
    base = "https://crm.contoso.com/Sales/api/data/v9.0"

    assert same_host(ORIGIN, f"{base}/mailboxes?$skiptoken=%3C", base)
    for link in (
        "https://evil.example/x",
        "http://crm.contoso.com/x",
        "https://crm.contoso.com:1/x",
    ):
        with pytest.raises(Garbled):
            same_host(ORIGIN, link, base)
