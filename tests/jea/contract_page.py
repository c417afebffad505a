"""How the contract's facts are written on docs/crm-server-contract.md, row by row."""

from __future__ import annotations

from typing import Any


def parameter_row(parameter: dict[str, Any]) -> str:
    mandatory = "yes" if parameter["mandatory"] else "no"
    return f"| `{parameter['name']}` | {parameter['type']} | {mandatory} | {rules(parameter)} |"


def rules(parameter: dict[str, Any]) -> str:
    """What else a value must be, in words."""
    said: list[str] = []
    if "set" in parameter:
        said.append(f"set {parameter['set']}")
    if "pattern" in parameter:
        said.append(f"`{parameter['pattern']}`")
    if "values" in parameter:
        said.append(" or ".join(parameter["values"]))
    if "count" in parameter:
        low, high = parameter["count"]
        said.append(f"{low} to {high} {'bytes' if parameter['type'] == 'byte[]' else 'items'}")
    if "range" in parameter:
        low, high = parameter["range"]
        said.append(f"{low} to {high}")
    if "length" in parameter:
        said.append(f"at most {parameter['length'][1]} characters")
    if parameter.get("empty"):
        said.append("empty text: not set")
    if "default" in parameter:
        said.append(f"default {parameter['default']}")
    if parameter.get("secret"):
        said.append("secret")
    return "; ".join(said) or "any"


def properties(shape: dict[str, str]) -> str:
    """Properties with their types, on one line: `Name` text, `Roles` ServerRole[]."""
    return ", ".join(f"`{name}` {kind}" for name, kind in shape.items())


def code_list(codes: list[str]) -> str:
    return ", ".join(codes) or "nothing of its own"
