"""msal's view of the network: our session instead of its own, in memory only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlencode

from sync_setup.gateways.failures import Origin
from sync_setup.gateways.http import Answer, HttpSession, failure, json_object
from sync_setup.gateways.route import Route


class _Response:
    """What msal reads of an answer."""

    def __init__(self, answer: Answer) -> None:
        self.status_code, self.text, self.headers = answer.status, answer.text, answer.headers

    def json(self) -> dict[str, Any]:
        """The body, which is known to be a JSON object."""
        return cast("dict[str, Any]", json.loads(self.text))

    def raise_for_status(self) -> None:
        """Nothing to raise: `MsalWire` lets only readable answers through."""


class MsalWire:
    """The http client of one msal application.

    Answers that msal understands (JSON with status 200, 400, 401) pass; everything else is raised
    as an error of the portal.

    :ivar last_failure: body of the last refusal; msal drops it when discovery is refused.
    :ivar last_detail: request ids of the last answer.
    """

    def __init__(self, origin: Origin, route: Route) -> None:
        self._origin = origin
        self._session = HttpSession(origin, route)
        self.last_failure: dict[str, Any] = {}
        self.last_detail: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Response:
        """GET for msal."""
        return self._exchange("GET", url, params, headers, None)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str | None] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Response:
        """POST for msal; ``data`` is a form."""
        return self._exchange("POST", url, params, headers, data)

    def close(self) -> None:
        """msal's word for the end."""
        self._session.close()

    def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        data: Mapping[str, str | None] | str | None,
    ) -> _Response:
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        form = (
            {k: v for k, v in data.items() if v is not None} if isinstance(data, Mapping) else data
        )
        answer = self._session.request(method, url, headers=headers, form=form, accept=(400, 401))
        self.last_detail = answer.detail()
        if answer.status >= 300:
            self.last_failure = _refusal(self._origin, answer)
        else:
            json_object(self._origin, answer)
        return _Response(answer)


def _refusal(origin: Origin, answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        return body
    raise failure(origin, answer)
