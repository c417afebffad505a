"""Read what a CRM server answered and hold it against the contract, property by property."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from sync_setup.gateways.contract import CONTRACT_VERSION, ContractError, Der, Named
from sync_setup.gateways.contract_changes import Change
from sync_setup.gateways.identifiers import GUID, SHA256, THUMBPRINT, OperationId

T = TypeVar("T")
B = TypeVar("B")
A = TypeVar("A")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_PATTERNS = {"Thumbprint": THUMBPRINT, "Sha256": SHA256}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class OffContract(ValueError):
    """An answer does not have the contract's shape; the text names the property."""


class OtherContract(OffContract):
    """An answer of another version of the contract."""


@dataclass(frozen=True)
class Envelope:
    """What wraps every answer; either ``error`` or ``result`` is there."""

    contract_version: str
    function: str
    server_name: str
    server_time: Annotated[datetime, Named("ServerTimeUtc")]
    ok: bool
    error: ContractError | None
    result: Mapping[str, object] | None
    warnings: tuple[str, ...]


def read_envelope(text: str, function: str) -> Envelope:
    """Read the one string that a function writes.

    :raises OtherContract: another contract version.
    :raises OffContract: not JSON, another function's, or not the contract's shape.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OffContract("it is not JSON") from error
    if not isinstance(data, dict):
        raise OffContract("it is no JSON object")
    version = data.get("ContractVersion")
    if version != CONTRACT_VERSION:
        raise OtherContract(f"contract {str(version)[:20]}, not {CONTRACT_VERSION}")
    envelope = read_shape(Envelope, data)
    if envelope.function != function:
        raise OffContract("Function names another function")
    if envelope.ok != (envelope.error is None) or envelope.ok != (envelope.result is not None):
        raise OffContract("Ok, Error and Result do not agree")
    return envelope


def read_change(before: type[B], after: type[A], data: Mapping[str, object]) -> Change[B, A]:
    """Read the Result of a changing function.

    :raises OffContract: not the contract's shape.
    """
    _same_names(
        {"OperationId", "Changed", "Replayed", "Seconds", "Before", "After"}, data, "Result"
    )
    return Change(
        operation_id=cast("OperationId", _value(OperationId, data["OperationId"], "OperationId")),
        changed=cast("bool", _value(bool, data["Changed"], "Changed")),
        replayed=cast("bool", _value(bool, data["Replayed"], "Replayed")),
        seconds=cast("float", _value(float, data["Seconds"], "Seconds")),
        before=read_shape(before, data["Before"], "Before"),
        after=read_shape(after, data["After"], "After"),
    )


def read_one(shape: type[T], name: str, data: Mapping[str, object]) -> T:
    """Read a Result that has one property.

    :raises OffContract: not the contract's shape.
    """
    _same_names({name}, data, "Result")
    return read_shape(shape, data[name], name)


def read_many(shape: type[T], name: str, data: Mapping[str, object]) -> tuple[T, ...]:
    """Read a Result that has one property, an array.

    :raises OffContract: not the contract's shape.
    """
    _same_names({name}, data, "Result")
    return cast("tuple[T, ...]", _value(tuple[shape, ...], data[name], name))  # type: ignore[valid-type]


def read_shape(shape: type[T], data: object, where: str = "") -> T:
    """Read a JSON object that has exactly the properties of a record of `contract`.

    :raises OffContract: a property is missing, unknown or of another type.
    """
    if not isinstance(data, dict):
        raise OffContract(f"{where or 'it'} is no object")
    known: dict[str, tuple[str, Any]] = properties(cast("Any", shape))
    _same_names(set(known), data, where)
    path = f"{where}." if where else ""
    values = {
        attribute: _value(kind, data[name], path + name)
        for name, (attribute, kind) in known.items()
    }
    return shape(**values)


@cache
def properties(shape: Any) -> dict[str, tuple[str, Any]]:
    """The properties of a record: JSON name to attribute and type."""
    hints = get_type_hints(shape, include_extras=True)
    return dict(_property(field.name, hints[field.name]) for field in dataclasses.fields(shape))


def _property(attribute: str, kind: Any) -> tuple[str, tuple[str, Any]]:
    if get_origin(kind) is Annotated:
        inner, named = get_args(kind)
        return cast("Named", named).json, (attribute, inner)
    return _pascal(attribute), (attribute, kind)


def _pascal(attribute: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in attribute.split("_"))


def _same_names(known: set[str], data: Mapping[str, object], where: str) -> None:
    if differing := sorted(known ^ set(data)):
        what = "lacks" if differing[0] in known else "has an unknown"
        raise OffContract(f"{where or 'it'} {what} {differing[0][:60]}")


def _value(kind: Any, data: object, where: str) -> object:
    origin = get_origin(kind)
    if origin in (types.UnionType, Union):  # with a NewType inside, | makes the older one
        inner = next(part for part in get_args(kind) if part is not types.NoneType)
        return None if data is None else _value(inner, data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise OffContract(f"{where} is no array")
        return tuple(
            _value(get_args(kind)[0], item, f"{where}[{n}]") for n, item in enumerate(data)
        )
    if origin is Literal:
        if data not in get_args(kind) or not isinstance(data, str):
            raise OffContract(f"{where} is none of {', '.join(get_args(kind))}")
        return data
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read_shape(kind, data, where)
    return _scalar(kind, data, where)


def _scalar(kind: Any, data: object, where: str) -> object:
    if kind is Der:
        return _der(data, where)
    if isinstance(kind, NewType):
        pattern = _PATTERNS.get(kind.__name__ or "", GUID)
        if not isinstance(data, str) or not pattern.fullmatch(data):
            raise OffContract(f"{where} is no {kind.__name__}")
        return data
    if kind is datetime:
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            raise OffContract(f"{where} is no instant")
        return _moment(data, where)
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if kind in (str, int, bool) and type(data) is kind:
        return data
    if get_origin(kind) is Mapping and isinstance(data, dict):
        return data
    raise OffContract(f"{where} has another type")


def _moment(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise OffContract(f"{where} is no instant") from error


def _der(data: object, where: str) -> bytes:
    if not isinstance(data, str) or not _BASE64.fullmatch(data):
        raise OffContract(f"{where} is not base64")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise OffContract(f"{where} is not base64") from error
