"""Requests to Microsoft Graph: token, request id, pages, and how its refusals read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from sync_setup.gateways.clouds import Cloud
from sync_setup.gateways.failures import Origin, garbled
from sync_setup.gateways.http import HttpSession, json_object
from sync_setup.gateways.odata import same_host
from sync_setup.gateways.tokens import TokenSource

T = TypeVar("T")
_SIGN_IN = (
    "Give the setup app a credential that works, in the tenant and cloud of the organization."
)
CONSENT = (
    "Grant the setup app the application permission {} and admin consent for it, or let the tenant "
    "administrator do this step by the Graph runbook."
)
GRAPH = Origin(
    "Microsoft Graph",
    "GRAPH",
    {"401": _SIGN_IN, "403": CONSENT.format("Application.Read.All or Organization.Read.All")},
)
WRITES = {
    "403": CONSENT.format("Application.ReadWrite.All"),
    "CredentialTypeNotAllowedAsPerAppPolicy": (
        "Ask the tenant administrator to exempt the CRM principal from the app management policy."
    ),
}


class GraphSession:
    """Requests to Graph with a token and a client-request-id, and lists over all their pages."""

    def __init__(self, cloud: Cloud, tokens: TokenSource) -> None:
        self._base = f"{cloud.graph}/v1.0"
        self._tokens = tokens
        self._session = HttpSession(GRAPH, cloud.route())

    def get(self, path: str) -> dict[str, Any]:
        """GET one object."""
        answer = self._session.request("GET", f"{self._base}{path}", headers=self._headers())
        return json_object(GRAPH, answer)

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        """Every row of a list."""
        url = f"{self._base}{path}"
        while url:
            page = json_object(GRAPH, self._session.request("GET", url, headers=self._headers()))
            rows = page.get("value")
            if not isinstance(rows, list):
                raise garbled(GRAPH, "it has no list of rows")
            yield from rows
            link = page.get("@odata.nextLink")
            url = same_host(GRAPH, str(link), self._base) if link else ""

    def patch(self, path: str, payload: Mapping[str, object]) -> None:
        """Change one object; a collection in the payload replaces the whole collection."""
        self._session.request(
            "PATCH",
            f"{self._base}{path}",
            headers=self._headers(),
            payload=payload,
            origin=GRAPH.knowing(WRITES),
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._tokens.token().value}",
            "Accept": "application/json",
            "client-request-id": str(uuid.uuid4()),
        }


def read(reader: Callable[[Mapping[str, Any]], T], row: Mapping[str, Any]) -> T:
    """Read a row of Graph.

    :raises Garbled: it lacks what it must have, or has it in another type.
    """
    try:
        return reader(row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise garbled(GRAPH, "a row is not as documented") from error
