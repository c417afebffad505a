"""Requests to the Web API of one organization: sign-in when needed, pages, ETags, its errors."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.errors import Conflict, GatewayError, Rejected
from sync_setup.gateways.adfs import UserToken, user_token
from sync_setup.gateways.dynamics_sign_in import (
    CRM,
    Challenge,
    DynamicsCredential,
    DynamicsTarget,
    probe,
)
from sync_setup.gateways.failures import garbled, http_date
from sync_setup.gateways.http import Answer, HttpSession, json_object
from sync_setup.gateways.identifiers import RecordId
from sync_setup.gateways.odata import same_host
from sync_setup.gateways.remoting_sign_in import PasswordSignIn, negotiate

Scalar = str | int | float | bool | None
LARGEST_PAGE = 5000
_DUPLICATE = "0x80040237"


@dataclass(frozen=True)
class Record:
    """A row of Dynamics.

    :ivar etag: its version, for If-Match.
    :ivar fields: by logical name; a lookup is ``_name_value``.
    """

    id: RecordId
    etag: str
    fields: Mapping[str, Scalar] = field(default_factory=dict)


class DynamicsSession:
    """One organization's Web API, for one thread at a time. Nothing is asked before the first call.

    :ivar said_at: the server's clock with its last answer; None before, or where it told none.
    """

    def __init__(self, target: DynamicsTarget, credential: DynamicsCredential) -> None:
        self.base = target.base()
        self._target, self._credential = target, credential
        self._challenge: Challenge | None = None
        self._session: HttpSession | None = None
        self._token: UserToken | None = None
        self.said_at: datetime | None = None

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """GET, with the answer as it is."""
        return self.request("GET", f"{self.base}/{path}", headers)

    def read(self, path: str) -> dict[str, Any]:
        """GET one JSON object."""
        return json_object(CRM, self.get(path))

    def pages(self, path: str, size: int = LARGEST_PAGE) -> Iterator[list[dict[str, Any]]]:
        """Pages of a list; links to the next page are followed verbatim."""
        url = f"{self.base}/{path}"
        prefer = {"Prefer": f"odata.maxpagesize={size}"}
        while url:
            page = json_object(CRM, self.request("GET", url, prefer))
            rows = page.get("value")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise garbled(CRM, "it has no list of rows")
            yield rows
            link = page.get("@odata.nextLink")
            url = same_host(CRM, str(link), self.base) if link else ""

    def send(
        self,
        method: str,
        path: str,
        payload: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST or PATCH.

        :raises Conflict: the record is not as it was read, or exists already.
        """
        try:
            return self.request(method, f"{self.base}/{path}", headers, payload)
        except (Conflict, Rejected) as error:
            # GUESS: the status of this code is 412; other builds may have another.
            if error.detail.get("error_code") == _DUPLICATE:
                raise as_conflict(error) from error
            raise

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send one request, signed in."""
        session = self._signed_in()
        answer = session.request(
            method, url, headers=self._headers() | dict(headers or {}), payload=payload
        )
        self.said_at = http_date(answer.headers.get("Date", ""))
        return answer

    def sign_in(self) -> Challenge:
        """Find out how the organization wants to be signed in to, and do it."""
        self._signed_in()
        if self._challenge is None:
            raise RuntimeError("signed in without a challenge")
        return self._challenge

    def close(self) -> None:
        """Close the connections and forget the token."""
        if self._session is not None:
            self._session.close()
        self._session = self._token = self._challenge = None

    def _signed_in(self) -> HttpSession:
        if self._challenge is None:
            self._challenge = probe(self._target)
        challenge, target = self._challenge, self._target
        if challenge.kind == "oauth" and not (self._token and self._token.is_fresh()):
            self._token = user_token(challenge, self._credential, target)
        if self._session is None:
            self._session = HttpSession(CRM, target.route, auth=self._negotiate(challenge))
        return self._session

    def _negotiate(self, challenge: Challenge) -> Any:
        if challenge.kind == "oauth":
            return None
        person = PasswordSignIn(
            self._credential.username, self._credential.password, self._target.kerberos
        )
        return negotiate(CRM, person, service="HTTP")

    def _headers(self) -> dict[str, str]:
        signed = {"Authorization": f"Bearer {self._token.value}"} if self._token else {}
        return {
            **signed,
            "Accept": "application/json",
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
            # The id under which the platform's trace files name this request.
            "x-ms-client-request-id": str(uuid.uuid4()),
        }


def read_record(row: Mapping[str, Any], id_name: str, etag: str = "") -> Record:
    """Read a row.

    :raises Garbled: it has no id, or a value that is no scalar.
    """
    record_id, version = row.get(id_name), row.get("@odata.etag") or etag
    if not isinstance(record_id, str) or not isinstance(version, str):
        raise garbled(CRM, f"a row has no {id_name} or no version")
    fields = {name: value for name, value in row.items() if "@" not in name}
    if not all(value is None or isinstance(value, str | int | float) for value in fields.values()):
        raise garbled(CRM, "a row holds more than plain values")
    return Record(RecordId(record_id.lower()), version, fields)


def as_conflict(error: GatewayError) -> Conflict:
    """The same failure as a Conflict: a record with this id is there already."""
    return Conflict(
        "Dynamics has a record with this id already.",
        remedy="Look again: an earlier try may have made it.",
        code=CRM.code("DUPLICATE"),
        system=error.system,
        detail=error.detail,
    )
