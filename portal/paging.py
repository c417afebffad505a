"""Pages of long lists, newest first, by key: new rows never shift what somebody is reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and the keys by which to go on.

    :param newer: rows above this key are newer; None where there are none.
    :param older: rows below this key are older; None where there are none.
    """

    rows: list[Row]
    newer: int | None
    older: int | None


def page_of(
    rows: QuerySet[Row], asked: Mapping[str, Any], *, key: str = "pk", size: int = SIZE
) -> Page[Row]:
    """Give the page that ``before`` or ``after`` in an address asks for; the newest without either."""
    before, after = number(asked.get("before")), number(asked.get("after"))
    if after is not None:
        found = list(rows.filter(**{f"{key}__gt": after}).order_by(key)[: size + 1])
        more_newer = len(found) > size
        found = found[:size][::-1]
        return Page(found, _key(found, 0, key) if more_newer else None, _key(found, -1, key))
    older_rows = rows if before is None else rows.filter(**{f"{key}__lt": before})
    found = list(older_rows.order_by(f"-{key}")[: size + 1])
    more_older = len(found) > size
    found = found[:size]
    newest = _key(found, 0, key) if before is not None else None
    return Page(found, newest, _key(found, -1, key) if more_older else None)


def _key(rows: list[Row], place: int, key: str) -> int | None:
    return int(getattr(rows[place], key)) if rows else None


def number(text: Any) -> int | None:
    """Read a positive number from an address; None for anything else, and for what no key can be."""
    return (
        int(text)
        if text and str(text).isascii() and str(text).isdigit() and len(str(text)) < 19
        else None
    )
