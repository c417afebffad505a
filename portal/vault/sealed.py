"""A value that gives nothing away by accident."""

from __future__ import annotations

from typing import NoReturn


class Sealed:
    """Secret bytes in memory. str, repr and formatting mask it; JSON, pickle and copy refuse.

    ``reveal()`` and ``text()`` are the only ways to the value, so that every use can be found.
    """

    __slots__ = ("__value",)

    def __init__(self, value: bytes) -> None:
        self.__value = value

    def reveal(self) -> bytes:
        """Give the bytes. Call it where they are used, keep no copy."""
        return self.__value

    def text(self) -> str:
        """Give the bytes as UTF-8 text: a password or client secret."""
        return self.__value.decode("utf-8")

    def __repr__(self) -> str:
        return "Sealed(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not stored, sent or copied.")

    def __iter__(self) -> NoReturn:
        raise TypeError("A secret is not a sequence.")
