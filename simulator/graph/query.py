"""``$select``, ``$filter``, ``$top``, ``$orderby`` and ``$count`` of Microsoft Graph."""

from __future__ import annotations

from simulator.graph.errors import GraphError, bad_property
from simulator.odata.csdl import EntityType
from simulator.odata.filter import BadQuery, Row, TypeOf, order, parse
from simulator.web.message import Request

KNOWN = {"$select", "$filter", "$top", "$orderby", "$count", "$skiptoken"}


def selected(resource: Row, request: Request, kind: EntityType) -> dict[str, object]:
    """The selected properties of a resource; everything without ``$select``.

    :raises GraphError: 400 for a property that the type does not have.
    """
    names = _selection(request, kind)
    return {n: resource.get(n) for n in names} if names else dict(resource)


def listed(resources: list[Row], request: Request, kind: EntityType) -> list[dict[str, object]]:
    """The filtered, ordered and selected resources.

    :raises GraphError: 400 for a query that cannot be answered.
    """
    query = request.query
    if unknown := {name for name in query if name.startswith("$")} - KNOWN:
        raise GraphError(400, "BadRequest", f"Query option '{min(unknown)}' is not supported.")
    check = _checker(kind)
    try:
        if "$filter" in query:
            test = parse(query["$filter"], check)
            resources = [resource for resource in resources if test(resource)]
        if "$orderby" in query:
            resources = order(resources, query["$orderby"], check)
    except BadQuery as error:
        raise GraphError(400, "Request_UnsupportedQuery", str(error)) from error
    return [selected(resource, request, kind) for resource in resources]


def _selection(request: Request, kind: EntityType) -> list[str]:
    names = [name.strip() for name in request.query.get("$select", "").split(",") if name.strip()]
    check = _checker(kind)
    for name in names:
        check(name)
    return names


def _checker(kind: EntityType) -> TypeOf:
    def type_of(name: str) -> str:
        own, _, inner = name.partition("/")
        if own not in kind.properties:
            raise bad_property(name, kind.name)
        return "" if inner else kind.properties[own].type

    return type_of
