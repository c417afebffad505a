"""OData in URLs: literals, ids and queries, built so that no value can become syntax."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NewType
from urllib.parse import quote, urlsplit

from portal.errors import BadInput
from sync_setup.gateways.failures import Origin, garbled
from sync_setup.gateways.identifiers import GUID

Filter = NewType("Filter", str)
"""A ``$filter`` expression made by the functions of this file."""

Literal = str | int | bool | datetime | None
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def literal(value: Literal) -> str:
    """Write a value as an OData literal; quotes in text are doubled.

    :raises BadInput: text with control characters, or a moment without a time zone.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _bad("a moment needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if _CONTROL.search(value):
        raise _bad("text must not hold control characters")
    return "'" + value.replace("'", "''") + "'"


def name(text: str) -> str:
    """Accept the name of a property or entity set.

    :raises BadInput: it holds anything but letters, digits and underscores.
    """
    if not _NAME.fullmatch(text):
        raise _bad("this is no name of a property")
    return text


def compare(property_name: str, operator: str, value: Literal) -> Filter:
    """``name operator literal``; the operator is one of eq, ne, gt, ge, lt, le."""
    if operator not in {"eq", "ne", "gt", "ge", "lt", "le"}:
        raise _bad("this is no operator")
    return Filter(f"{name(property_name)} {operator} {literal(value)}")


def same_id(property_name: str, record_id: str) -> Filter:
    """``name eq guid``: ids are written without quotes."""
    return Filter(f"{name(property_name)} eq {checked_id(record_id)}")


def contains(property_name: str, text: str) -> Filter:
    """``contains(name,'text')``."""
    return Filter(f"contains({name(property_name)},{literal(text)})")


def every(*filters: Filter) -> Filter:
    """All of them together."""
    return Filter(" and ".join(f"({part})" if " or " in part else part for part in filters))


def either(*filters: Filter) -> Filter:
    """Any of them."""
    return Filter(" or ".join(f"({part})" for part in filters))


def checked_id(record_id: str) -> str:
    """Accept a GUID with hyphens, in lower case: nothing else ever stands in a path.

    :raises BadInput: it is none.
    """
    if not GUID.fullmatch(record_id):
        raise _bad("this is no id")
    return record_id


def record_path(entity_set: str, record_id: str) -> str:
    """``set(guid)``."""
    return f"{name(entity_set)}({checked_id(record_id)})"


@dataclass(frozen=True)
class Query:
    """The system query options of a read."""

    select: Sequence[str] = ()
    filter: Filter | None = None
    order_by: str = ""
    descending: bool = False
    top: int | None = None

    def encoded(self) -> str:
        """The query with its question mark, percent-encoded; empty if there are no options."""
        options = []
        if self.select:
            options.append("$select=" + ",".join(name(part) for part in self.select))
        if self.filter:
            options.append("$filter=" + quote(self.filter, safe="(),:"))
        if self.order_by:
            options.append(
                "$orderby=" + name(self.order_by) + ("%20desc" if self.descending else "")
            )
        if self.top is not None:
            options.append(f"$top={int(self.top)}")
        return "?" + "&".join(options) if options else ""


def same_host(origin: Origin, link: str, base: str) -> str:
    """Accept a link to the next page: it is followed verbatim, but only on the host it came from.

    :raises Garbled: it leads somewhere else.
    """
    there, here = urlsplit(link), urlsplit(base)
    if (there.scheme, there.netloc.lower()) != (here.scheme, here.netloc.lower()):
        raise garbled(origin, "its link to the next page leads to another host")
    return link


def _bad(what: str) -> BadInput:
    return BadInput(
        f"The request cannot be written: {what}.",
        remedy="Correct the name, id or text that was given.",
        code="SSS-INPUT-ODATA",
    )
