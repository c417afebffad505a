"""Read PowerShell files without running them: functions, parameters, commands, tables.

There is no PowerShell on the test machines. tree-sitter-powershell parses the subset that the module is
written in; what it cannot parse counts as broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_powershell

JEA = Path(__file__).parents[2] / "sync_setup" / "jea"
MODULE = JEA / "SssPortal"
SUFFIXES = {".ps1", ".psm1", ".psd1", ".psrc", ".pssc"}
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


@dataclass(frozen=True)
class Attribute:
    """``[Name('a', 2, Key = value)]``: what is between the parentheses, as written."""

    name: str
    arguments: tuple[str, ...] = ()
    named: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function; ``type`` as written, without brackets."""

    name: str
    type: str
    attributes: tuple[Attribute, ...]
    default: str

    def attribute(self, name: str) -> Attribute | None:
        return next((a for a in self.attributes if a.name == name), None)

    @property
    def is_mandatory(self) -> bool:
        given = self.attribute("Parameter")
        return given is not None and given.named.get("Mandatory") == "$true"


@dataclass(frozen=True)
class Command:
    """A command that a function runs: its name, the parameters it gives, its whole text."""

    name: str
    parameters: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Function:
    """A function of a file."""

    name: str
    path: Path
    node: tree_sitter.Node
    parameters: tuple[Parameter, ...]

    @property
    def text(self) -> str:
        return text(self.node)

    def commands(self) -> list[Command]:
        return [_command(node) for node in nodes(self.node, "command")]

    def tables(self) -> list[tuple[str, ...]]:
        """Keys of every ``@{}`` in the function, in the order written."""
        return [_keys(node) for node in nodes(self.node, "hash_literal_expression")]


def powershell_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


@cache
def parse(path: Path) -> tree_sitter.Tree:
    return _PARSER.parse(path.read_bytes())


def text(node: tree_sitter.Node) -> str:
    assert node.text is not None
    return node.text.decode("ascii")


def nodes(node: tree_sitter.Node, *types: str) -> Iterator[tree_sitter.Node]:
    """The node itself and everything below it, of these types."""
    if node.type in types:
        yield node
    for child in node.children:
        yield from nodes(child, *types)


def broken(path: Path) -> list[str]:
    """Where the parser lost its way; empty for a sound file."""
    return [
        f"{path.name}:{node.start_point.row + 1}: {node.type}"
        for node in _all(parse(path).root_node)
        if node.type == "ERROR" or node.is_missing
    ]


@cache
def functions(folder: Path, *, deep: bool = True) -> dict[str, Function]:
    """Every function of a folder's files, by name.

    :raises AssertionError: two functions have one name.
    """
    found: dict[str, Function] = {}
    for path in powershell_files(folder):
        if not deep and path.parent != folder:
            continue
        for node in nodes(parse(path).root_node, "function_statement"):
            function = _function(path, node)
            assert function.name not in found, function.name
            found[function.name] = function
    return found


def unquoted(value: str) -> str:
    """The value of a string literal that has no escapes."""
    return value[1:-1].replace("''", "'") if value[:1] in ("'", '"') else value


def data_strings(path: Path, key: str) -> list[str]:
    """The strings of one entry of a data file's table (.psd1, .psrc, .pssc)."""
    for entry in nodes(parse(path).root_node, "hash_entry"):
        name = next(nodes(entry, "key_expression"))
        if text(name) == key:
            return [unquoted(text(node)) for node in nodes(entry, "string_literal")]
    return []


def _all(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _all(child)


def _function(path: Path, node: tree_sitter.Node) -> Function:
    name = text(next(nodes(node, "function_name"))).removeprefix("script:")
    own = [p for p in nodes(node, "script_parameter") if _owner(p) == node]
    return Function(name, path, node, tuple(_parameter(p) for p in own))


def _owner(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The function or script block that declares a parameter."""
    parent = node.parent
    while parent is not None and parent.type not in (
        "function_statement",
        "script_block_expression",
    ):
        parent = parent.parent
    return parent


def _parameter(node: tree_sitter.Node) -> Parameter:
    attributes: list[Attribute] = []
    kind = ""
    for item in nodes(node, "attribute"):
        if item.children[0].type == "type_literal":
            kind = text(item)[1:-1]
        else:
            attributes.append(_attribute(item))
    name = next(child for child in node.children if child.type == "variable")
    default = next((c for c in node.children if c.type == "script_parameter_default"), None)
    return Parameter(
        text(name)[1:],
        kind,
        tuple(attributes),
        text(default)[1:].strip() if default is not None else "",
    )


def _attribute(node: tree_sitter.Node) -> Attribute:
    name = text(next(nodes(node, "attribute_name")))
    plain: list[str] = []
    named: dict[str, str] = {}
    for argument in nodes(node, "attribute_argument"):
        if argument.children[0].type == "simple_name":
            named[text(argument.children[0])] = text(argument.children[-1])
        else:
            plain.append(text(argument))
    return Attribute(name, tuple(plain), named)


def _command(node: tree_sitter.Node) -> Command:
    name = next(iter(nodes(node, "command_name", "command_name_expr")), None)
    elements = next((c for c in node.children if c.type == "command_elements"), None)
    given = [] if elements is None else list(elements.children)
    return Command(
        text(name) if name is not None else "",
        tuple(text(c)[1:] for c in given if c.type == "command_parameter"),
        text(node),
    )


def _keys(node: tree_sitter.Node) -> tuple[str, ...]:
    body = next((c for c in node.children if c.type == "hash_literal_body"), None)
    if body is None:
        return ()
    return tuple(
        unquoted(text(entry.children[0])) for entry in body.children if entry.type == "hash_entry"
    )
