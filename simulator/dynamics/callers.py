"""Who calls the Web API: Negotiate where claims are off, an AD FS token where they are on."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import spnego
import spnego.channel_bindings
import spnego.exceptions

from simulator.dynamics.database import Database, Record
from simulator.dynamics.errors import DynamicsError, privilege_missing
from simulator.simulation import Simulation
from simulator.tokens import BadToken
from simulator.web.message import Request, Response

HIDDEN_ROLES, HIDDEN_PRIVILEGES = "~roles", "~privileges"
"""Attributes of users and roles that hold relationships; a name with ``~`` is never shown."""


@dataclass(frozen=True)
class Caller:
    """A user of one organization with the privileges of all its roles."""

    user_id: str
    name: str
    privileges: frozenset[str]

    def demand(self, privilege: str, entity: str) -> None:
        """Refuse without this privilege.

        :raises DynamicsError: 403.
        """
        if privilege not in self.privileges:
            raise privilege_missing(self.user_id, privilege, entity)


class NotSignedIn(Exception):
    """No user yet: ``response`` carries the challenge or the next step of a negotiation."""

    def __init__(self, response: Response) -> None:
        super().__init__("not signed in")
        self.response = response


class SignIn:
    """Turns requests into user names, by what the deployment has switched on."""

    def __init__(self, simulation: Simulation, certificate_digest: bytes) -> None:
        self._simulation = simulation
        # Windows binds Negotiate to the TLS channel, so that a relayed sign-in fails.
        self._channel = spnego.channel_bindings.GssChannelBindings(
            application_data=b"tls-server-end-point:" + certificate_digest
        )

    def user_name(self, request: Request) -> tuple[str, list[tuple[str, str]]]:
        """The authenticated name (``DOMAIN\\user`` or user@domain) and headers for the answer.

        :raises NotSignedIn: nobody is signed in.
        """
        deployment = self._simulation.world.deployment
        if deployment.claims_enabled:
            return self._by_token(request, deployment.oauth_enabled), []
        return self._by_negotiate(request)

    def _by_token(self, request: Request, oauth_enabled: bool) -> str:
        places = self._simulation.places
        if oauth_enabled and (name := self._name_in_token(request.bearer())):
            return name
        if "text/html" in request.header("Accept"):
            # A browser is sent to the sign-in page of AD FS, as the IFD site does.
            where = f"{places.adfs2019}/adfs/ls/?wa=wsignin1.0&wtrealm={places.crm}/"
            raise NotSignedIn(Response.redirect(where))
        response = Response(401, b"HTTP Error 401 - Unauthorized: Access is denied")
        if oauth_enabled:
            challenge = f"Bearer authorization_uri={places.adfs2019}/adfs/oauth2/authorize"
            response.with_header("WWW-Authenticate", f"{challenge}, resource_id={places.crm}/")
        raise NotSignedIn(response)

    def _name_in_token(self, token: str) -> str:
        """The user of a token of AD FS for this deployment, empty if it is none."""
        try:
            claims = self._simulation.farm_key.verify(token)
        except BadToken:
            return ""
        audience = str(claims.get("aud", "")).rstrip("/")
        return str(claims["upn"]) if audience in accepted_audiences(self._simulation) else ""

    def _by_negotiate(self, request: Request) -> tuple[str, list[tuple[str, str]]]:
        scheme, _, token = request.header("Authorization").partition(" ")
        if scheme not in ("Negotiate", "NTLM"):
            known = request.connection.get("user")
            if isinstance(known, str):
                return known, []
            raise NotSignedIn(_challenge())
        context, out = self._step(request, token)
        headers = (
            [("WWW-Authenticate", f"{scheme} {base64.b64encode(out).decode()}")] if out else []
        )
        if not context.complete:
            raise NotSignedIn(Response(401, b"", headers))
        request.connection["user"] = str(context.client_principal)
        return str(context.client_principal), headers

    def _step(self, request: Request, token: str) -> tuple[Any, bytes]:
        context: Any = request.connection.get("negotiation")
        try:
            raw = base64.b64decode(token, validate=True)
            if context is None or context.complete:
                is_bare = raw.startswith(b"NTLMSSP\0")
                options = (
                    spnego.NegotiateOptions.none
                    if is_bare
                    else spnego.NegotiateOptions.use_negotiate
                )
                context = spnego.server(
                    protocol="ntlm" if is_bare else "negotiate",
                    channel_bindings=self._channel,
                    options=options,
                )
                request.connection["negotiation"] = context
            return context, context.step(raw) or b""
        except (spnego.exceptions.SpnegoError, binascii.Error, ValueError) as error:
            request.connection.pop("negotiation", None)
            request.connection.pop("user", None)
            raise NotSignedIn(_challenge()) from error


def accepted_audiences(simulation: Simulation) -> set[str]:
    """Relying party identifiers of the deployment: the root and each organization's address."""
    crm = simulation.places.crm
    return {crm, *(f"{crm}/{name}" for name in simulation.world.databases)}


def caller_of(database: Database, name: str) -> Caller:
    """The user of an organization that a Windows account or user principal name belongs to.

    :raises DynamicsError: 403, no enabled user of this organization.
    """
    wanted = name.casefold()
    for user_id, user in database.table("systemuser").items():
        names = (str(user.get("domainname", "")), str(user.get("windowsliveid", "")))
        if wanted in (known.casefold() for known in names if known):
            if user.get("isdisabled"):
                text = f"The user with id {user_id} has been disabled."
                raise DynamicsError(403, "0x80041d1f", text)
            return Caller(user_id, name, _privileges(database, user))
    text = "The user specified either does not exist in this organization or has no roles."
    # GUESS: the code; a Windows account that is no CRM user is refused with 403.
    raise DynamicsError(403, "0x80040204", text)


def _privileges(database: Database, user: Record) -> frozenset[str]:
    roles = database.table("role")
    held: set[str] = set()
    for role_id in _texts(user.get(HIDDEN_ROLES)):
        held |= set(_texts(roles.get(role_id, {}).get(HIDDEN_PRIVILEGES)))
    return frozenset(held)


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _challenge() -> Response:
    body = b"HTTP Error 401 - Unauthorized: Access is denied due to invalid credentials."
    offered = [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")]
    return Response(401, body, [*offered, ("Content-Type", "text/html")])
