"""A person's browser: cookies of the portal (Django's test client) and of the identity provider's pages."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from portal.access.models import Person
from tests.simulator_process import SimulatorProcess

CALLBACK = "/sign-in/callback/"


def trust(provider: SimulatorProcess, settings: Any) -> None:
    """Have the portal sign people in with the simulated Entra ID."""
    at, app = provider.addresses, provider.addresses["sign_in_app"]
    settings.SIGN_IN_AUTHORITY = f"{at['entra']}/{app['tenant_id']}"
    settings.SIGN_IN_CLIENT_ID = app["client_id"]
    settings.SIGN_IN_CLIENT_SECRET = app["client_secret"]
    settings.SIGN_IN_CA_FILE = str(at["ca"])
    settings.PORTAL_ORIGIN = "http://localhost:8000"


class Browser:
    """Walks the sign-in step by step, so that a test can do one of them wrongly."""

    def __init__(self) -> None:
        self.portal = Client()
        self.http = requests.Session()
        self.http.trust_env = False

    def begin(self, then: str = "") -> str:
        """Press the portal's button.

        :return: where the identity provider's page is.
        """
        self.portal.get("/sign-in/", {"next": then} if then else {})
        answer = self.portal.post("/sign-in/begin/")
        assert answer.status_code == 302, answer.text
        return str(answer["Location"])

    def choose(self, address: str, username: str) -> str:
        """Choose an account on the identity provider's page.

        :return: the address of the portal to which it sends the browser back.
        """
        page = self.http.get(address, timeout=10)
        action = re.search(r"action='([^']+)'", page.text)
        assert action is not None, page.text
        hidden = re.findall(r"type='hidden' name='([^']*)' value='([^']*)'", page.text)
        form = {name: html.unescape(value) for name, value in hidden} | {"username": username}
        target = urljoin(page.url, html.unescape(action[1]))
        answer = self.http.post(target, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def come_back(self, address: str) -> Any:
        """Follow the identity provider's redirect into the portal."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == settings.PORTAL_ORIGIN
        return self.portal.get(f"{parts.path}?{parts.query}")

    def sign_in(self, username: str, then: str = "") -> Any:
        """Do all of it; give the portal's answer."""
        return self.come_back(self.choose(self.begin(then), f"{username}@contoso.example"))

    @property
    def session_key(self) -> str:
        cookie = self.portal.cookies.get(settings.SESSION_COOKIE_NAME)
        return cookie.value if cookie else ""

    @property
    def is_in(self) -> bool:
        return bool(self.portal.get("/").status_code == 200)

    def close(self) -> None:
        self.http.close()


def person(username: str) -> Person:
    return Person.objects.get(username=f"{username}@contoso.example")


def held(who: Person) -> set[tuple[str, str | None]]:
    """Roles and the slug of their scope; None: everywhere."""
    return set(who.grants.values_list("role", "scope__slug"))


def server_sessions() -> int:
    return Session.objects.count()
