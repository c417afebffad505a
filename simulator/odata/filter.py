"""``$filter``: parsed by the OData grammar as far as it is used here, and evaluated honestly.

Known: ``eq ne gt ge lt le and or not``, parentheses, ``contains startswith endswith``, ``any`` with
one lambda variable, and literals. Whatever else is met is refused, never ignored.
"""

from __future__ import annotations

import datetime
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Value = object
Row = Mapping[str, object]
Test = Callable[[Row], bool]
TypeOf = Callable[[str], str]
"""The declared type of a property, such as Edm.Guid; empty where it does not matter. Raises BadQuery
(or the caller's own error) for a property that does not exist."""

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_@][\w.]*(?:/[A-Za-z_][\w.]*)*)"
    r"|(?P<mark>[(),:]))"
)
LITERALS = {
    "text": ("Edm.String",),
    "guid": ("Edm.Guid",),
    "date": ("Edm.DateTimeOffset", "Edm.Date"),
    "number": ("Edm.Int32", "Edm.Int64", "Edm.Double", "Edm.Decimal"),
    "boolean": ("Edm.Boolean",),
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


class BadQuery(Exception):
    """A query option that cannot be understood or answered; the text is for the error body."""


@dataclass(frozen=True)
class Operand:
    """One side of a comparison: how to get its value, and what types it may be compared with."""

    value: Callable[[Row], Value]
    types: tuple[str, ...] = ()


def parse(text: str, type_of: TypeOf) -> Test:
    """A test for rows from a filter text.

    :raises BadQuery: syntax, unknown function, operands of types that do not go together.
    """
    parser = _Parser(_tokens(text), type_of)
    test = parser.either()
    if parser.left():
        raise BadQuery(f"Syntax error in filter at '{parser.left()[0][1]}'.")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"Syntax error at position {position} in '{text}'.")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[tuple[str, str]], type_of: TypeOf) -> None:
        self._tokens, self._type_of, self._at = tokens, type_of, 0

    def left(self) -> Sequence[tuple[str, str]]:
        return self._tokens[self._at :]

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("name", "or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._not()]
        while self._take("name", "and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _not(self) -> Test:
        if self._take("name", "not"):
            inner = self._not()
            return lambda row: not inner(row)
        return self._primary()

    def _primary(self) -> Test:
        if self._take("mark", "("):
            test = self.either()
            self._expect(")")
            return test
        kind, text = self._next()
        if kind == "name" and text in FUNCTIONS and self._take("mark", "("):
            return self._function(text)
        if kind == "name" and text.endswith("/any") and self._take("mark", "("):
            return self._any(text.removesuffix("/any"))
        return self._comparison(self._operand(kind, text))

    def _function(self, name: str) -> Test:
        whole = self._operand(*self._next())
        self._expect(",")
        part = self._operand(*self._next())
        self._expect(")")
        run = FUNCTIONS[name]
        for operand in (whole, part):
            _go_together(operand, Operand(lambda row: "", ("Edm.String",)), name)

        def test(row: Row) -> bool:
            text, wanted = whole.value(row), part.value(row)
            return isinstance(text, str) and run(text.casefold(), str(wanted).casefold())

        return test

    def _any(self, collection: str) -> Test:
        item_type = self._type_of(collection)
        _, variable = self._next()
        self._expect(":")
        outer, self._type_of = self._type_of, lambda name: item_type
        inner = self.either()
        self._type_of = outer
        self._expect(")")

        def test(row: Row) -> bool:
            items = row.get(collection)
            return isinstance(items, list) and any(inner({variable: item}) for item in items)

        return test

    def _comparison(self, left: Operand) -> Test:
        kind, word = self._next()
        if kind != "name" or word not in COMPARISONS:
            raise BadQuery(f"'{word}' is no operator that can be used here.")
        right = self._operand(*self._next())
        compare = COMPARISONS[word]
        _go_together(left, right, word)

        def test(row: Row) -> bool:
            a, b = comparable(left.value(row)), comparable(right.value(row))
            if a is None or b is None:
                return bool(compare(a, b)) if word in ("eq", "ne") else False
            if type(a) is not type(b) and not {type(a), type(b)} <= {int, float}:
                return word == "ne"
            return bool(compare(a, b))

        return test

    def _operand(self, kind: str, text: str) -> Operand:
        if kind == "mark":
            raise BadQuery(f"Syntax error in filter at '{text}'.")
        if kind != "name":
            value = literal(kind, text)
            return Operand(lambda row: value, LITERALS[kind])
        if text in ("true", "false"):
            return Operand(lambda row: text == "true", LITERALS["boolean"])
        if text == "null":
            return Operand(lambda row: None)
        declared = self._type_of(text)
        return Operand(lambda row: row.get(text), (declared,) if declared else ())

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise BadQuery("Syntax error: the filter ends too early.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, kind: str, text: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == (kind, text)
        self._at += found
        return found

    def _expect(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise BadQuery(f"Syntax error: '{mark}' expected.")


def _go_together(left: Operand, right: Operand, word: str) -> None:
    if left.types and right.types and not set(left.types) & set(right.types):
        kinds = {"eq": "Equal", "ne": "NotEqual"}.get(word, word)
        raise BadQuery(
            "A binary operator with incompatible types was detected. Found operand types"
            f" '{left.types[0]}' and '{right.types[0]}' for operator kind '{kinds}'."
        )


def literal(kind: str, text: str) -> Value:
    """The value of a literal token."""
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "number":
        return float(text) if "." in text else int(text)
    return text.lower() if kind == "guid" else text


def comparable(value: Value) -> Value:
    """A value as it compares: text without case, instants as instants."""
    if isinstance(value, str):
        if re.match(r"\d{4}-\d{2}-\d{2}(T|$)", value):
            try:
                moment = datetime.datetime.fromisoformat(value)
            except ValueError:
                return value.casefold()
            return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        # Dynamics compares by SQL Server's case-insensitive collation, Graph without case too.
        return value.casefold()
    return value


def order(rows: list[Row], text: str, type_of: TypeOf) -> list[Row]:
    """Rows in the order of ``$orderby``; nulls first, as SQL Server sorts them.

    :raises BadQuery: syntax or unknown property.
    """
    for part in reversed(text.split(",")):
        words = part.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise BadQuery(f"Syntax error in orderby '{text}'.")
        name = words[0]
        type_of(name)
        rows = sorted(rows, key=lambda row: _sort_key(row.get(name)), reverse=words[-1] == "desc")
    return rows


def _sort_key(value: Value) -> tuple[int, float, str]:
    read = comparable(value)
    if read is None:
        return 0, 0.0, ""
    if isinstance(read, datetime.datetime):
        return 1, read.timestamp(), ""
    if isinstance(read, bool | int | float):
        return 1, float(read), ""
    return 2, 0.0, cast(str, read)
