"""Reads: one record or a page of records, with ``$select``, ``$filter``, ETags and annotations."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any, cast

from simulator.dynamics.database import Database, Record
from simulator.dynamics.errors import DynamicsError, does_not_exist
from simulator.dynamics.model import Entity, Model
from simulator.odata.filter import BadQuery, Row, order, parse
from simulator.web.message import Request, Response

LARGEST_PAGE = 5000
KNOWN = {"$select", "$filter", "$orderby", "$top", "$count", "$skiptoken"}
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
JSON = "application/json; odata.metadata=minimal"


class Reader:
    """Reads records of one organization.

    ``base`` is the absolute address of the Web API, for contexts and next links.
    """

    def __init__(self, model: Model, database: Database, base: str) -> None:
        self._model, self._database, self._base = model, database, base

    def record(self, entity: Entity, record_id: str, request: Request) -> Response:
        """One record; 304 where the caller's If-None-Match still holds."""
        found = self._database.find(entity.name, record_id)
        if found is None:
            raise does_not_exist(entity.name, record_id)
        if request.header("If-None-Match") == etag(found):
            return Response(304)
        _known_options(request, {"$select"})
        names = _selection(entity, request)
        suffix = f"({','.join(names)})" if "$select" in request.query else ""
        context = f"{self._base}/$metadata#{entity.set_name}{suffix}/$entity"
        shown = self._shown(found, entity, names, request)
        response = Response.of_json({"@odata.context": context, **shown}, 200, JSON)
        response.with_header("OData-Version", "4.0")
        return response.with_header("ETag", etag(found))

    def page(self, entity: Entity, request: Request, rows: list[Record] | None = None) -> Response:
        """A page of records; all of a table unless ``rows`` are given."""
        _known_options(request, KNOWN)
        query = request.query
        names = _selection(entity, request)
        found = cast(list[Row], rows if rows is not None else list(self._table(entity)))
        found = _sorted(_filtered(found, entity, query), entity, query)
        start, size = _window(request)
        whole, found = len(found), found[start : start + size]
        suffix = f"({','.join(names)})" if "$select" in query else ""
        answer: dict[str, object] = {
            "@odata.context": f"{self._base}/$metadata#{entity.set_name}{suffix}"
        }
        if query.get("$count") == "true":
            # The real service counts to 5,000 and no further.
            answer["@odata.count"] = min(whole, LARGEST_PAGE)
        answer["value"] = [self._shown(cast(Record, row), entity, names, request) for row in found]
        if start + size < whole and "$top" not in query:
            answer["@odata.nextLink"] = self._next_link(request, start + size)
        response = Response.of_json(answer, 200, JSON).with_header("OData-Version", "4.0")
        applied = [p for p in _preferences(request) if p.startswith("odata.")]
        return (
            response.with_header("Preference-Applied", ",".join(applied)) if applied else response
        )

    def _table(self, entity: Entity) -> list[Record]:
        return list(self._database.table(entity.name).values())

    def _next_link(self, request: Request, start: int) -> str:
        kept = {n: v for n, v in request.query.items() if n != "$skiptoken"}
        cookie = f"<cookie pagenumber='{start}' istracking='False' />"
        kept["$skiptoken"] = cookie
        path = self._base + "/" + request.path.split("/api/data/", 1)[1].partition("/")[2]
        return f"{path}?{urllib.parse.urlencode(kept, quote_via=urllib.parse.quote)}"

    def _shown(
        self, record: Record, entity: Entity, names: list[str], request: Request
    ) -> dict[str, Any]:
        """A record as the caller sees it; its id always comes along."""
        shown: dict[str, Any] = {"@odata.etag": etag(record)}
        with_labels = "odata.include-annotations" in request.header("Prefer")
        for name in dict.fromkeys([*names, entity.id_name]):
            value = record.get(name)
            shown[name] = value
            if with_labels and value is not None:
                shown |= self._labels(name, value, entity)
        return shown

    def _labels(self, name: str, value: object, entity: Entity) -> dict[str, object]:
        options = entity.options.get(name)
        if options and str(value) in options:
            return {name + FORMATTED: options[str(value)]}
        if isinstance(value, bool):
            return {name + FORMATTED: "Yes" if value else "No"}
        if not name.startswith("_"):
            return {}
        for navigation in entity.lookups.values():
            target = self._model.by_name.get(navigation.target)
            if navigation.lookup != name or target is None:
                continue
            record = self._database.find(target.name, str(value))
            if record is not None:
                return {
                    name + FORMATTED: record.get(target.name_attribute),
                    f"{name}@Microsoft.Dynamics.CRM.associatednavigationproperty": navigation.name,
                    f"{name}@Microsoft.Dynamics.CRM.lookuplogicalname": target.name,
                }
        return {}


def etag(record: Record) -> str:
    """The weak ETag of a record: its version number."""
    return f'W/"{record["versionnumber"]}"'


def _known_options(request: Request, known: set[str]) -> None:
    if unknown := {name for name in request.query if name.startswith("$")} - known:
        # GUESS: the code; $expand, $apply and the rest exist in the product and not here.
        text = f"The query option '{min(unknown)}' is not supported."
        raise DynamicsError(400, "0x80060888", text)


def _selection(entity: Entity, request: Request) -> list[str]:
    text = request.query.get("$select", "")
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        entity.property(name)
    return names or entity.readable()


def _filtered(rows: list[Row], entity: Entity, query: dict[str, str]) -> list[Row]:
    if "$filter" not in query:
        return rows
    try:
        test = parse(query["$filter"], lambda name: entity.property(name).type)
    except BadQuery as error:
        raise DynamicsError(400, "0x80060888", str(error)) from error
    return [row for row in rows if test(row)]


def _sorted(rows: list[Row], entity: Entity, query: dict[str, str]) -> list[Row]:
    if "$orderby" not in query:
        return rows
    try:
        return order(rows, query["$orderby"], lambda name: entity.property(name).type)
    except BadQuery as error:
        raise DynamicsError(400, "0x80060888", str(error)) from error


def _window(request: Request) -> tuple[int, int]:
    """First row and number of rows of this page."""
    query = request.query
    size = LARGEST_PAGE
    for preference in _preferences(request):
        if match := re.fullmatch(r"odata\.maxpagesize=(\d+)", preference):
            size = max(1, min(int(match[1]), LARGEST_PAGE))
    if "$top" in query:
        if not query["$top"].isdigit():
            text = f"Invalid value '{query['$top']}' for $top query option found."
            raise DynamicsError(400, "0x80060888", text)
        size = min(int(query["$top"]), LARGEST_PAGE)
    if "$skiptoken" not in query:
        return 0, size
    cookie = re.search(r"pagenumber='(\d+)'", query["$skiptoken"])
    if cookie is None:
        raise DynamicsError(400, "0x80060888", "Skip token is not valid.")
    return int(cookie[1]), size


def _preferences(request: Request) -> list[str]:
    return [part.strip() for part in request.header("Prefer").split(",") if part.strip()]
