"""Bodies checked against the metadata of Microsoft Graph."""

from __future__ import annotations

import base64
import binascii
import datetime
import uuid
from collections.abc import Callable, Mapping

from simulator.graph.errors import GraphError, bad_property
from simulator.odata.csdl import EntityType, Metadata, Property
from simulator.web.message import Request


def body_of(request: Request, kind: EntityType, metadata: Metadata) -> dict[str, object]:
    """The JSON body, each property known and of its type.

    :raises GraphError: 400.
    """
    try:
        body = request.json()
    except ValueError as error:
        text = "Unable to read JSON request payload. Please ensure Content-Type header is set and"
        raise GraphError(400, "BadRequest", f"{text} payload is of valid JSON format.") from error
    if not isinstance(body, dict):
        raise GraphError(400, "BadRequest", "Empty Payload. JSON content expected.")
    _check(body, kind, metadata)
    return body


def _check(body: Mapping[str, object], kind: EntityType, metadata: Metadata) -> None:
    for name, value in body.items():
        if name.partition("@")[0] == "" or name.endswith("@odata.type"):
            continue
        declared = kind.properties.get(name)
        if declared is None:
            raise bad_property(name, kind.name)
        if declared.is_collection:
            if not isinstance(value, list):
                raise _wrong(declared)
            for item in value:
                _check_value(item, declared, metadata)
        elif value is not None:
            _check_value(value, declared, metadata)


def _check_value(value: object, declared: Property, metadata: Metadata) -> None:
    if declared.type in SHAPES:
        if not SHAPES[declared.type](value):
            raise _wrong(declared)
    elif declared.type in metadata.types:
        if not isinstance(value, dict):
            raise _wrong(declared)
        _check(value, metadata.types[declared.type], metadata)


def instant_of(value: object) -> datetime.datetime:
    """An instant from its text.

    :raises GraphError: 400.
    """
    try:
        moment = datetime.datetime.fromisoformat(str(value))
    except ValueError as error:
        text = f"Cannot convert the literal '{value}' to the expected type 'Edm.DateTimeOffset'."
        raise GraphError(400, "BadRequest", text) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _is_instant(value: object) -> bool:
    return isinstance(value, str) and "T" in value and bool(instant_of(value))


def _is_guid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def _is_binary(value: object) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except binascii.Error:
        return False


SHAPES: dict[str, Callable[[object], bool]] = {
    "Edm.String": lambda value: isinstance(value, str),
    "Edm.Boolean": lambda value: isinstance(value, bool),
    "Edm.Int32": lambda value: type(value) is int,
    "Edm.Guid": _is_guid,
    "Edm.Binary": _is_binary,
    "Edm.DateTimeOffset": _is_instant,
}


def _wrong(declared: Property) -> GraphError:
    text = (
        f"Invalid value specified for property '{declared.name}': a value of type"
        f" '{declared.type}' is expected."
    )
    return GraphError(400, "Request_BadRequest", text)
