"""One session with one outside system: time-outs, size limit, no redirects, errors of the portal."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import requests
import urllib3

from sync_setup.gateways.failures import Origin, from_exception, from_status, garbled, late
from sync_setup.gateways.route import Route
from sync_setup.gateways.wire import BoundedSession, Departure, OutOfTime, TooLong

# How each system calls the ids by which its operators find a request in their logs.
_REQUEST_IDS = {
    "request-id": "request_id",
    "x-ms-request-id": "request_id",
    "x-ms-service-request-id": "request_id",
    "REQ_ID": "request_id",
    "client-request-id": "client_request_id",
    "Date": "answered_at",
}


@dataclass(frozen=True)
class Answer:
    """A whole answer; ``headers`` is case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as UTF-8, undecodable bytes replaced."""
        return self.body.decode("utf-8-sig", "replace")

    @property
    def is_html(self) -> bool:
        """Whether this is a web page, whatever it calls itself."""
        head = self.body[:200].lstrip().lower()
        named = self.headers.get("Content-Type", "").lower().startswith("text/html")
        return named or head.startswith((b"<!doctype html", b"<html"))

    def detail(self) -> dict[str, str]:
        """Request ids and the time of the answer, for people who search logs."""
        found: dict[str, str] = {}
        for header, name in _REQUEST_IDS.items():
            if value := self.headers.get(header):
                found.setdefault(name, value[:100])
        return found


class HttpSession:
    """Connections to one outside system.

    Used by one thread at a time.

    :param auth: signs each request (Negotiate); None where a header does.
    :param client: TLS settings with a client certificate.
    """

    def __init__(
        self,
        origin: Origin,
        route: Route,
        *,
        auth: requests.auth.AuthBase | None = None,
        client: ssl.SSLContext | None = None,
    ) -> None:
        self.origin, self.route = origin, route
        self.departure = Departure()
        self._session = BoundedSession(route, self.departure, client)
        self._session.auth = auth

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        payload: object = None,
        form: Mapping[str, str] | str | None = None,
        accept: Collection[int] = (),
        origin: Origin | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        :param payload: sent as JSON.
        :param form: sent as a form.
        :param accept: statuses from 300 upwards that are answers here, not errors.
        :param origin: who answers, with remedies for this very call.
        :raises GatewayError: whichever class fits; see ``failures``.
        """
        answer = self._exchange(method, url, headers, payload, form, origin or self.origin)
        if answer.status < 300 or answer.status in accept:
            return answer
        raise failure(origin or self.origin, answer)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        payload: object,
        form: Mapping[str, str] | str | None,
        origin: Origin,
    ) -> Answer:
        self._session.ends_at = time.monotonic() + self.route.deadline_s
        self.departure.begin()
        sent_headers = dict(headers or {})
        data: Any = form
        if payload is not None:
            data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
            sent_headers.setdefault("Content-Type", "application/json; charset=utf-8")
        elif isinstance(form, str):
            sent_headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        try:
            response = self._session.request(
                method,
                url,
                headers=sent_headers,
                data=data,
                timeout=(self.route.connect_timeout_s, self.route.read_timeout_s),
            )
            return Answer(response.status_code, response.headers, response.content)
        except OutOfTime as error:
            raise late(origin, sent=True, seconds=self.route.deadline_s) from error
        except TooLong as error:
            raise garbled(origin, f"it is longer than {self.route.max_bytes} bytes") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            departure = self.departure
            raise from_exception(
                origin, error, sent=departure.sent, forbidden=departure.forbidden
            ) from error


def json_object(origin: Origin, answer: Answer) -> dict[str, Any]:
    """Read an answer that must be a JSON object.

    :raises Garbled: it is a web page, empty, not JSON, or not an object.
    """
    if answer.is_html:
        raise garbled(origin, "it is a web page", answer.detail())
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        what = "it is not JSON" if answer.body else "it is empty"
        raise garbled(origin, what, answer.detail()) from error
    if not isinstance(value, dict):
        raise garbled(origin, "it is no JSON object", answer.detail())
    return cast("dict[str, Any]", value)


def failure(origin: Origin, answer: Answer) -> Exception:
    """The error that an answer stands for, with the system's own code and words."""
    code, words, ids = _spoken(answer)
    return from_status(
        origin,
        answer.status,
        code=code,
        words=words,
        headers=answer.headers,
        detail=answer.detail() | ids,
    )


def _spoken(answer: Answer) -> tuple[str, str, dict[str, str]]:
    """Code, message and ids of an error body: OData's (Graph, Dynamics) or OAuth's."""
    try:
        body = json.loads(answer.body)
        error = body["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", "", {}
    if isinstance(error, str):
        ids = {
            name: str(body[name])[:100] for name in ("trace_id", "correlation_id") if name in body
        }
        return error, str(body.get("error_description", "")), ids
    if not isinstance(error, dict):
        return "", "", {}
    inner = error.get("innerError") or error.get("innererror") or {}
    ids = {}
    if isinstance(inner, dict):
        for name in ("request-id", "client-request-id"):
            if name in inner:
                ids[name.replace("-", "_")] = str(inner[name])[:100]
    return str(error.get("code", "")), str(error.get("message", "")), ids
