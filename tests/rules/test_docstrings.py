"""What is public says what it means."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import PurePath

import pytest

from tests.rules.sources import PRODUCT, module_of, python, tree

# Their names and their templates, fields or schema say what they are.
_SELF_TELLING = {"views", "views.py", "forms", "forms.py", "urls.py", "apps.py"}
_SOURCES = [
    name
    for name in python(*PRODUCT, "simulator/")
    if not ({"migrations", "management"} | _SELF_TELLING) & set(PurePath(name).parts)
]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@pytest.mark.parametrize("name", _SOURCES)
def test_everything_public_has_a_docstring(name: str) -> None:
    silent = [
        f"{name}:{node.lineno} {'.'.join(part.name for part in [*owners, node])}"
        for node, owners in _public(tree(name).body, ())
        if ast.get_docstring(node) is None and not _may_be_silent(name, node, owners)
    ]

    assert silent == []


def _public(
    body: list[ast.stmt], owners: tuple[ast.ClassDef, ...]
) -> Iterator[tuple[Definition, tuple[ast.ClassDef, ...]]]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node, owners
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, (*owners, node))


def _may_be_silent(name: str, node: Definition, owners: tuple[ast.ClassDef, ...]) -> bool:
    """Choices inside a model, and functions that tell themselves or that a base or Protocol explains."""
    if isinstance(node, ast.ClassDef):
        return bool(owners)
    if len(node.body) == 1 or any("property" in ast.unparse(d) for d in node.decorator_list):
        return True
    if _answers_a_request(node) or _writes_an_error(node):
        return True
    return bool(owners) and (
        node.name in _explained_by_protocols() or _overrides(name, node.name, owners)
    )


def _answers_a_request(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A page or an endpoint: its address and its name say what it answers."""
    return "request" in [argument.arg for argument in node.args.args[:2]]


def _writes_an_error(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """The text of the error, of which the body consists, says when it is given."""
    last = node.body[-1]
    returned = last.value if isinstance(last, ast.Return) else None
    return (
        isinstance(returned, ast.Call)
        and ast.unparse(returned.func).endswith("Error")
        and len(node.body) == 2
    )


@cache
def _explained_by_protocols() -> frozenset[str]:
    """Methods that a Protocol of ours describes once for all who have them."""
    return frozenset(
        method.name
        for name in _SOURCES
        for node in tree(name).body
        if isinstance(node, ast.ClassDef)
        and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
    )


def _overrides(name: str, method: str, owners: tuple[ast.ClassDef, ...]) -> bool:
    if not owners[-1].bases:
        return False
    found: object = importlib.import_module(module_of(name))
    for owner in owners:
        found = getattr(found, owner.name)
    assert isinstance(found, type)
    return any(method in base.__dict__ for base in found.__mro__[1:])
