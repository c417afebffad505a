"""The pages that a person's browser opens: sign-in, device code, sign-out. Plain http, no script."""

from __future__ import annotations

import html
import urllib.parse
import uuid
from collections.abc import Mapping, Sequence

from simulator.entra import administration, errors, issuing
from simulator.entra.errors import SignInError
from simulator.entra.grants import Grant, Grants
from simulator.entra.html_page import page
from simulator.entra.state import Application, Person, Tenant
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

LOOPBACK = ("localhost", "127.0.0.1")


class Pages:
    """The system behind the ``authorize`` listener."""

    def __init__(self, simulation: Simulation, grants: Grants) -> None:
        self._simulation, self._grants = simulation, grants

    def answer(self, request: Request) -> Response:
        try:
            with self._simulation.world.lock:
                return self._route(request)
        except SignInError as error:
            told = str(error.body(request)["error_description"])
            return page("Sign-in failed", f"<p role='alert'>{html.escape(told)}</p>", error.status)

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return page("Sign-in is unavailable", f"<p>{html.escape(message or code)}</p>", status)

    def _route(self, request: Request) -> Response:
        if request.path == "/devicelogin":
            return self._device_page(request)
        if request.path == administration.PATH:
            return administration.answer(request, self._simulation)
        name, _, rest = request.path.lstrip("/").partition("/")
        tenant = self._simulation.world.tenant(name)
        if tenant is None:
            raise errors.tenant_unknown(name)
        if rest == "oauth2/v2.0/authorize":
            return self._authorize(request, tenant)
        if rest == "oauth2/v2.0/logout":
            return self._sign_out(request, tenant)
        return page("Not found", "<p>There is no such page.</p>", 404)

    def _authorize(self, request: Request, tenant: Tenant) -> Response:
        asked = request.form() if request.method == "POST" else request.query
        application = self._checked(asked, tenant)
        if "username" not in asked:
            if asked.get("prompt") == "none":
                return self._refused(asked, "login_required", "AADSTS50058: No session was found.")
            return self._choose(request, asked, tenant, application)
        person = tenant.person(asked["username"])
        if person is None or not person.is_enabled:
            text = "The user account does not exist or is disabled."
            raise SignInError("invalid_request", 50034, text)
        grant = Grant(
            tenant.id,
            application.client_id,
            asked.get("scope", ""),
            person,
            asked["redirect_uri"],
            asked.get("nonce", ""),
            asked.get("code_challenge", ""),
        )
        code = self._grants.new_code(grant)
        return back(asked, {"code": code, "session_state": str(uuid.uuid4())})

    def _checked(self, asked: Mapping[str, str], tenant: Tenant) -> Application:
        application = tenant.application(asked.get("client_id", ""))
        if application is None:
            raise errors.application_unknown(asked.get("client_id", ""), tenant.name)
        uri = asked.get("redirect_uri", "")
        if not any(is_same_address(uri, known) for known in application.redirect_uris):
            text = (
                f"The redirect URI '{uri}' specified in the request does not match the redirect"
                f" URIs configured for the application '{application.client_id}'."
            )
            raise SignInError("invalid_client", 50011, text)
        if asked.get("response_type") != "code" or asked.get("response_mode", "query") != "query":
            text = "The simulator answers response_type=code with response_mode=query only."
            raise SignInError("unsupported_response_type", 700054, text)
        if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
            text = "The Code_Challenge_Method supplied in the request must be S256."
            raise SignInError("invalid_request", 501491, text)
        issuing.graph_scopes(self._simulation, asked.get("scope", ""))
        return application

    def _choose(
        self,
        request: Request,
        asked: Mapping[str, str],
        tenant: Tenant,
        application: Application,
    ) -> Response:
        action = request.target.partition("?")[0]
        content = (
            f"<p>Sign in to <strong>{html.escape(application.name)}</strong> as:</p>"
            + people_form(action, asked, tenant.people)
            + "<p>Simulated: no password is asked.</p>"
        )
        return page(f"Pick an account of {tenant.name}", content)

    def _sign_out(self, request: Request, tenant: Tenant) -> Response:
        target = request.query.get("post_logout_redirect_uri", "")
        known = [uri for app in tenant.applications for uri in app.redirect_uris]
        if target and any(_origin(target) == _origin(uri) for uri in known):
            return Response.redirect(target)
        return page("You signed out of your account", "<p>You may close this window.</p>")

    def _device_page(self, request: Request) -> Response:
        asked = request.form() if request.method == "POST" else request.query
        code = asked.get("otc", "")
        grant = self._grants.user_code(code) if code else None
        tenant = self._simulation.world.tenant(grant.tenant_id) if grant else None
        if grant is None or tenant is None or grant.is_expired or grant.person:
            told = "<p role='alert'>That code didn't work. Check it and try again.</p>"
            form = (
                "<form method='get' action='/devicelogin'><label>Code <input name='otc'"
                " autocomplete='off' required></label><button>Next</button></form>"
            )
            return page("Enter code", (told if code else "") + form)
        if asked.get("decline"):
            grant.is_declined = True
            return page("You declined", "<p>The application cannot sign you in.</p>")
        person = tenant.person(asked.get("username", ""))
        if person is None:
            decline = (
                f"<form method='post' action='/devicelogin'><input type='hidden' name='otc'"
                f" value='{html.escape(code)}'><button name='decline' value='1'>Cancel</button></form>"
            )
            form = people_form("/devicelogin", {"otc": code}, tenant.people) + decline
            return page(f"Pick an account of {tenant.name}", form)
        grant.person = person
        return page("You have signed in", "<p>You may now close this window.</p>")

    def _refused(self, asked: Mapping[str, str], error: str, text: str) -> Response:
        return back(asked, {"error": error, "error_description": text})


def people_form(action: str, carried: Mapping[str, str], people: Sequence[Person]) -> str:
    """A form with one button a person; what was asked travels along in hidden fields."""
    hidden = "".join(
        f"<input type='hidden' name='{html.escape(name)}' value='{html.escape(value)}'>"
        for name, value in carried.items()
        if name != "username"
    )
    buttons = "".join(
        f"<li><button name='username' value='{html.escape(person.username)}'>"
        f"{html.escape(person.name)}<small>{html.escape(described(person))}</small></button></li>"
        for person in people
        if person.is_enabled
    )
    return f"<form method='post' action='{html.escape(action)}'>{hidden}<ul>{buttons}</ul></form>"


def described(person: Person) -> str:
    """User name and app roles in one line."""
    return f"{person.username} - {', '.join(person.roles) or 'no role'}"


def is_same_address(uri: str, known: str) -> bool:
    """Whether a redirect URI is the registered one; on localhost the port does not count.

    Source: "Redirect URI (reply URL) restrictions", localhost exceptions.
    """
    sent, registered = urllib.parse.urlsplit(uri), urllib.parse.urlsplit(known)
    if sent.scheme == "http" and sent.hostname in LOOPBACK:
        return (sent.scheme, sent.hostname, sent.path) == (
            registered.scheme,
            registered.hostname,
            registered.path,
        ) and not (sent.query or sent.fragment)
    return bool(uri) and uri == known


def _origin(uri: str) -> tuple[str, str | None]:
    parts = urllib.parse.urlsplit(uri)
    return parts.scheme, parts.hostname


def back(asked: Mapping[str, str], answer: dict[str, str]) -> Response:
    """The redirect to the application, with its state."""
    if "state" in asked:
        answer["state"] = asked["state"]
    glue = "&" if "?" in asked["redirect_uri"] else "?"
    return Response.redirect(asked["redirect_uri"] + glue + urllib.parse.urlencode(answer))
