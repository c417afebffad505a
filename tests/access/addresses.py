"""Every address of the portal, read from its own table: a page that is added is tested without a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse


@dataclass(frozen=True)
class Address:
    """One line of the table of addresses.

    :param name: with its namespace, as ``reverse`` takes it.
    :param parameters: in the order of the address.
    """

    name: str
    parameters: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def is_open(self) -> bool:
        """Whether somebody may come who is not signed in."""
        return bool(getattr(self.view, "open_to_all", False))

    def of(self, things: Mapping[str, object]) -> str:
        """Write the address of these things.

        :param things: by parameter, or by name and parameter (``sync_setup:tenant number``).
        :raises KeyError: for a parameter that stands for nothing yet: say what does.
        """
        chosen = {
            parameter: things.get(f"{self.name} {parameter}") or things[parameter]
            for parameter in self.parameters
        }
        return reverse(self.name, kwargs=chosen)

    def __str__(self) -> str:
        return self.name


def every_address() -> list[Address]:
    """Read the table."""
    return list(_within(get_resolver(), "", ()))


def _within(
    resolver: URLResolver, namespace: str, parameters: tuple[str, ...]
) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        found = (*parameters, *entry.pattern.converters)
        if isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} has no name"
            name = f"{namespace}:{entry.name}" if namespace else entry.name
            yield Address(name, found, entry.callback)
        else:
            inner = entry.namespace or ""
            joined = f"{namespace}:{inner}" if namespace and inner else namespace or inner
            yield from _within(entry, joined, found)
