"""The sign-in page of AD FS that a person's browser opens; plain http, as Entra ID's."""

from __future__ import annotations

import html

from simulator.adfs.errors import AdfsError
from simulator.adfs.farms import client_of, people, resource_of
from simulator.entra.grants import Grant, Grants
from simulator.entra.html_page import page
from simulator.entra.pages import back, is_same_address, people_form
from simulator.simulation import Simulation
from simulator.web.message import Request, Response


class AdfsPages:
    """Sign-in pages of both farms, below ``/adfs2019`` and ``/adfs2016``."""

    def __init__(self, simulation: Simulation, grants: Grants) -> None:
        self._simulation, self._grants = simulation, grants

    def answer(self, request: Request, kind: str) -> Response:
        """Show the accounts, or go back with a code."""
        asked = request.form() if request.method == "POST" else request.query
        try:
            with self._simulation.world.lock:
                return self._authorize(request, asked, kind)
        except AdfsError as error:
            return page("Error", f"<p role='alert'>{html.escape(error.text)}</p>", error.status)

    def _authorize(self, request: Request, asked: dict[str, str], kind: str) -> Response:
        client = client_of(self._simulation, kind, asked)
        uri = asked.get("redirect_uri", "")
        if not any(is_same_address(uri, known) for known in client.redirect_uris):
            text = (
                "MSIS9224: Received invalid OAuth authorization request. The received"
                " 'redirect_uri' parameter is not a valid registered redirect URI for the client."
            )
            raise AdfsError("invalid_request", text)
        if asked.get("response_type") != "code":
            text = "MSIS9225: The simulator answers response_type=code only."
            raise AdfsError("unsupported_response_type", text)
        resource = resource_of(self._simulation, kind, asked)
        known_people = people(self._simulation)
        person = next((p for p in known_people if p.username == asked.get("username")), None)
        if person is None:
            action = request.target.partition("?")[0]
            content = people_form(action, asked, known_people)
            return page("Sign in to Contoso (AD FS)", content)
        grant = Grant(
            kind,
            client.client_id,
            asked.get("scope", ""),
            person,
            uri,
            asked.get("nonce", ""),
            asked.get("code_challenge", ""),
            resource=resource,
        )
        return back(asked, {"code": self._grants.new_code(grant)})
