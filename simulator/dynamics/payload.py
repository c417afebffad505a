"""Bodies of create and update, checked strictly: what the real service refuses is refused here."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Mapping

from simulator.dynamics.errors import DynamicsError, invalid, unknown_property
from simulator.dynamics.model import Entity, Model

BIND = "@odata.bind"
INT_LIMITS = {"Edm.Int32": 2**31, "Edm.Int64": 2**63}
TARGET = re.compile(r"(?:.*/)?(?P<set>\w+)\((?P<id>[0-9a-fA-F-]{36})\)")


def attributes_of(
    body: object, entity: Entity, model: Model, *, creating: bool
) -> dict[str, object]:
    """The attributes that a body sets; a bound lookup as ``_name_value``.

    :raises DynamicsError: unknown or read-only property, wrong type, length, range or option.
    """
    if not isinstance(body, dict):
        raise invalid("The request body is no JSON object.", "0x80048d19")
    given: dict[str, object] = {}
    for name, value in body.items():
        if name.endswith(BIND):
            lookup, target = _bound(name.removesuffix(BIND), value, entity, model)
            given[lookup] = target
        elif "@" not in name:
            _check(name, value, entity, creating)
            given[name] = value
    for name in entity.rules.get("required", ()):
        if (creating and name not in given) or (name in given and given[name] in (None, "")):
            text = f"A validation error occurred. A value for '{name}' must be provided."
            raise invalid(text)
    return given


def _check(name: str, value: object, entity: Entity, creating: bool) -> None:
    declared = entity.kind.properties.get(name)
    if declared is None:
        raise unknown_property(name, entity.name)
    fixed = entity.fixed_on_create if creating else entity.fixed_on_update
    if name in fixed or name.startswith("_"):
        # GUESS: the real service drops some read-only properties silently; to refuse is stricter.
        text = f"The property '{name}' of entity '{entity.name}' cannot be modified."
        raise invalid(text, "0x80040203")
    if value is None:
        return
    if not FITS[declared.type](value):
        text = f"Cannot convert the literal '{value}' to the expected type '{declared.type}'."
        raise invalid(text, "0x80048d19")
    _check_rules(name, value, entity)


def _check_rules(name: str, value: object, entity: Entity) -> None:
    longest = entity.rules.get("max_length", {}).get(name)
    if longest and len(str(value)) > longest:
        text = (
            f"A validation error occurred. The length of the '{name}' attribute of the"
            f" '{entity.name}' entity exceeded the maximum allowed length of '{longest}'."
        )
        raise invalid(text, "0x80044331")
    low, high = entity.rules.get("ranges", {}).get(name, (None, None))
    if low is not None and isinstance(value, int) and not low <= value <= high:
        text = (
            f"A validation error occurred. The value of '{name}' on record of type"
            f" '{entity.name}' is outside the valid range. Accepted Values: {low} - {high}"
        )
        raise invalid(text, "0x80044330")
    options = entity.options.get(name)
    if options and str(value) not in options:
        text = (
            f"A validation error occurred. The value {value} of '{name}' on record of type"
            f" '{entity.name}' is outside the valid range. Accepted Values: {','.join(options)}"
        )
        raise invalid(text, "0x8004431a")


def _bound(name: str, value: object, entity: Entity, model: Model) -> tuple[str, str | None]:
    """The lookup attribute and the id that an ``@odata.bind`` means."""
    navigation = entity.kind.navigations.get(name)
    if navigation is None or navigation.is_collection or not navigation.lookup:
        raise unknown_property(name + BIND, entity.name)
    if navigation.lookup in entity.fixed_on_update and name not in WRITABLE_LOOKUPS:
        raise invalid(f"The property '{name}' of entity '{entity.name}' cannot be modified.")
    if value is None:
        return navigation.lookup, None
    match = TARGET.fullmatch(str(value))
    target = model.by_set.get(match["set"]) if match else None
    fits = navigation.target in ("principal", target.name if target else "")
    if match is None or target is None or not fits:
        text = f"The reference '{value}' cannot be bound to '{name}'."
        raise invalid(text, "0x80048d19")
    return navigation.lookup, match["id"].lower()


WRITABLE_LOOKUPS = (
    "emailserverprofile",
    "ownerid",
    "defaultemailserverprofileid",
    "defaultmailbox",
)
"""Lookups that are set by their navigation property though their value property is read-only."""


def _is_guid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.datetime.fromisoformat(value).tzinfo)
    except ValueError:
        return False


def _is_int(kind: str) -> Callable[[object], bool]:
    limit = INT_LIMITS[kind]
    return lambda value: type(value) is int and -limit <= value < limit


FITS: Mapping[str, Callable[[object], bool]] = {
    "Edm.String": lambda value: isinstance(value, str),
    "Edm.Boolean": lambda value: isinstance(value, bool),
    "Edm.Int32": _is_int("Edm.Int32"),
    "Edm.Int64": _is_int("Edm.Int64"),
    "Edm.Double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Edm.Decimal": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Edm.Guid": _is_guid,
    "Edm.DateTimeOffset": _is_instant,
    "Edm.Binary": lambda value: isinstance(value, str),
}


def unreadable_body(error: ValueError) -> DynamicsError:
    """The refusal of a body that is no JSON."""
    return invalid(f"Error identified in Payload: {error}", "0x80048d19")
