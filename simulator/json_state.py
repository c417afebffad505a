"""Dataclasses to JSON and back, for the state of the world and for changing single values in it."""

from __future__ import annotations

import dataclasses
import types
import typing


def to_json(value: object) -> object:
    """The JSON value of a dataclass, list, dict or scalar. Fields starting with ``_`` are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f.name for f in dataclasses.fields(value) if not f.name.startswith("_")]
        return {name: to_json(getattr(value, name)) for name in fields}
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def from_json(kind: object, data: object) -> object:
    """A value of an annotated type from the JSON value that ``to_json`` made.

    :raises TypeError: the data does not fit the type.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return [from_json(inner[0], item) for item in _expect(data, list, kind)]
    if origin is dict:
        return {str(n): from_json(inner[1], v) for n, v in _expect(data, dict, kind).items()}
    if origin is types.UnionType:
        if data is None and type(None) in inner:
            return None
        return from_json(next(option for option in inner if option is not type(None)), data)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        given = _expect(data, dict, kind)
        if unknown := set(given) - set(hints):
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        return kind(**{name: from_json(hints[name], item) for name, item in given.items()})
    if kind is float and type(data) is int:
        return float(data)
    if isinstance(kind, type) and kind is not object and type(data) is not kind:
        raise TypeError(f"{data!r} is no {kind.__name__}")
    return data


def _expect(data: object, kind: type, wanted: object) -> typing.Any:
    if not isinstance(data, kind):
        raise TypeError(f"{data!r} does not fit {wanted}")
    return data


def look_up(root: object, path: list[str]) -> object:
    """The value at a path of field names, dict keys, and list positions or names.

    In a list, a step is a position, or the element itself, or what identifies it (IDENTIFYING).

    :raises KeyError: nothing is there.
    """
    for step in path:
        root = _step(root, step)
    return root


def put(root: object, path: list[str], data: object) -> None:
    """Replace the value at a path; the last step ``-`` appends to a list.

    :raises KeyError: nothing is there.
    :raises TypeError: the value does not fit.
    """
    parent, last = look_up(root, path[:-1]), path[-1]
    kind = _kind_at(root, path)
    value = from_json(kind, data)
    if isinstance(parent, list):
        if last == "-":
            parent.append(value)
        else:
            parent[_position(parent, last)] = value
    elif isinstance(parent, dict):
        parent[last] = value
    elif hasattr(parent, last):
        setattr(parent, last, value)
    else:
        raise KeyError(last)


def remove(root: object, path: list[str]) -> None:
    """Take an element out of a list or dict.

    :raises KeyError: nothing is there, or it cannot be taken away.
    """
    parent, last = look_up(root, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[_position(parent, last)]
    elif isinstance(parent, dict):
        del parent[last]
    else:
        raise KeyError(f"{last} cannot be taken away")


IDENTIFYING = (
    "name",
    "id",
    "unique_name",
    "app_id",
    "client_id",
    "username",
    "address",
    "thumbprint",
    "part_number",
    "key_id",
    "kind",
)


def _step(value: object, step: str) -> object:
    if isinstance(value, list):
        return value[_position(value, step)]
    if isinstance(value, dict):
        return value[step]
    if dataclasses.is_dataclass(value) and hasattr(value, step):
        return getattr(value, step)
    raise KeyError(step)


def _position(items: list[object], step: str) -> int:
    if step.lstrip("-").isdigit() and -len(items) <= int(step) < len(items):
        return int(step)
    for position, item in enumerate(items):
        read = item.get if isinstance(item, dict) else lambda n, i=item: getattr(i, n, None)
        if item == step or any(read(name) == step for name in IDENTIFYING):
            return position
    raise KeyError(step)


def _kind_at(root: object, path: list[str]) -> object:
    """The annotated type of what a path leads to."""
    kind: object = type(root)
    value: object | None = root
    for step in path:
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is types.UnionType:
            kind = next(option for option in inner if option is not type(None))
            origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is list:
            kind = inner[0]
        elif origin is dict:
            kind = inner[1]
        elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            if step not in hints:
                raise KeyError(step)
            kind = hints[step]
        else:
            kind = object
        value = None if step == "-" or value is None else _try_step(value, step)
    return kind


def _try_step(value: object, step: str) -> object | None:
    try:
        return _step(value, step)
    except KeyError:
        return None
