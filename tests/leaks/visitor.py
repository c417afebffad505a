"""A person at the real web process, without a browser: forms as a browser sends them."""

from __future__ import annotations

from typing import Any

import requests
from django.conf import settings
from django.test import Client

from portal.access.models import Person

BACKEND = "portal.access.backends.BreakGlass"


class Visitor:
    """One signed-in person.

    :ivar answers: every page and error page that the web process gave, headers included.
    """

    def __init__(self, origin: str, person: Person) -> None:
        self._origin, self.answers = origin, list[bytes]()
        inside = Client()
        inside.force_login(person, backend=BACKEND)
        self._session = requests.Session()
        self._session.trust_env = False
        # The session lies in the database that the web process shares.
        cookie = inside.cookies[settings.SESSION_COOKIE_NAME].value
        self._session.cookies.set(settings.SESSION_COOKIE_NAME, cookie)

    def get(self, path: str) -> requests.Response:
        return self._kept("GET", path)

    def post(self, page: str, path: str = "", *, token: str = "", **sent: Any) -> requests.Response:
        """Open the page with the form, then send it (to ``path``, or to the page itself).

        :param token: sent instead of the right one, to be refused.
        """
        self.get(page)
        right = self._session.cookies.get(settings.CSRF_COOKIE_NAME) or ""
        data = {"csrfmiddlewaretoken": token or right} | sent.pop("data", {})
        return self._kept("POST", path or page, data=data, **sent)

    def close(self) -> None:
        self._session.close()

    def _kept(self, method: str, path: str, **sent: Any) -> requests.Response:
        answer = self._session.request(
            method,
            self._origin + path,
            headers={"Referer": self._origin + path},
            timeout=60,
            allow_redirects=False,
            **sent,
        )
        self.answers.append(str(dict(answer.headers)).encode() + answer.content)
        return answer
