"""Sign-in with OpenID Connect through msal: authorization code with PKCE, state and nonce."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msal
import requests
from django.conf import settings
from django.urls import reverse

from portal.errors import NotAllowed, Unreachable

_MICROSOFT = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
)
TIMEOUT_S = 10
SKEW_S = 120  # how far two machines' clocks may lie apart


@dataclass(frozen=True)
class Identity:
    """Who the identity provider says it is."""

    issuer: str
    subject: str
    username: str
    name: str
    roles: list[str]


def is_configured() -> bool:
    """Tell whether this installation signs people in with an identity provider."""
    return bool(settings.SIGN_IN_AUTHORITY and settings.SIGN_IN_CLIENT_ID)


def begin() -> dict[str, Any]:
    """Start a sign-in.

    :return: msal's flow (state, nonce, PKCE verifier) to keep in the session; ``auth_uri`` is where the browser goes.
    :raises Unreachable: when the identity provider does not answer.
    """
    with session() as connection:
        client = _client(connection)
        flow: dict[str, Any] = client.initiate_auth_code_flow(
            ["User.Read"] if is_microsoft() else [],
            redirect_uri=_redirect_uri(),
            response_mode="query",
        )
    if "auth_uri" not in flow:
        raise NotAllowed(
            "The identity provider did not start a sign-in.",
            code="SSS-SIGN-IN",
            remedy="Try again.",
        )
    return flow


def finish(flow: dict[str, Any], answer: dict[str, str]) -> Identity:
    """Redeem the code that the browser brought back.

    :raises NotAllowed: when state, nonce, issuer, audience or time do not fit, or the provider refused.
    :raises Unreachable: when the identity provider does not answer, or not in a way that can be read.
    """
    with session() as connection:
        try:
            result = _client(connection).acquire_token_by_auth_code_flow(flow, answer)
        except requests.RequestException:
            raise away() from None
        # msal: the state is not the one this browser began with, or the token is no token.
        except (ValueError, LookupError):
            raise _refused("This sign-in was not started from this browser.") from None
        except RuntimeError:  # msal: the nonce is not the one this browser began with
            raise _refused("This answer belongs to another sign-in.") from None
    claims = result.get("id_token_claims")
    if not isinstance(claims, dict):
        raise _refused("The identity provider refused the sign-in.", str(result.get("error", "")))
    return identity_of(claims)


def identity_of(claims: dict[str, Any]) -> Identity:
    """Hold the claims of an identity token against what this installation trusts, and read them.

    :raises NotAllowed: when issuer, audience or time do not fit. :raises Unreachable: see ``finish``.
    """
    _check(claims)
    roles = claims.get("roles", [])
    return Identity(
        issuer=claims["iss"],
        # oid names a person across a tenant's apps; sub is what a provider without it has.
        subject=str(claims.get("oid") or claims["sub"]),
        username=str(claims.get("preferred_username") or claims["sub"]).lower(),
        name=str(claims.get("name", "")),
        roles=[str(role) for role in roles] if isinstance(roles, list) else [str(roles)],
    )


def _check(claims: dict[str, Any]) -> None:
    """Stop unless the token is for this installation, of now: msal (since 1.38) reads it and proves nothing.

    It came from the token endpoint over TLS, which stands for its signature.

    Source: OpenID Connect Core 1.0, 3.1.3.7, points 2, 3, 6 and 9.
    """
    if not claims.get("sub"):
        raise _refused("The identity provider does not say who signed in.")
    # The issuer of an Entra ID tenant has the tenant's id in it: another tenant is another issuer.
    # GUESS: in the identity tokens of AD FS it is word for word that of its discovery document.
    if claims.get("iss") != _issuer():
        raise _refused("You signed in with an account of another tenant.")
    audience = claims.get("aud")
    if settings.SIGN_IN_CLIENT_ID not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("This sign-in was for another application.")
    if not isinstance(claims.get("exp"), int) or claims["exp"] + SKEW_S < time.time():
        raise _refused("This sign-in is over already. Compare the clocks of the two machines.")


def _issuer() -> str:
    """Give the one issuer whose tokens count, as the authority itself tells.

    That of several tenants at once (``common``) has a placeholder in it, so no token ever fits.
    """
    authority = settings.SIGN_IN_AUTHORITY.rstrip("/")
    # AD FS has no versions; Entra ID's second is the one with these claims.
    version = "" if urlsplit(authority).path.lower() == "/adfs" else "/v2.0"
    address = f"{authority}{version}/.well-known/openid-configuration"
    try:
        with session() as connection:
            return str(connection.get(address, timeout=TIMEOUT_S).json()["issuer"])
    except (requests.RequestException, ValueError, KeyError, TypeError):
        raise away() from None


def is_microsoft() -> bool:
    """Tell whether the identity provider is one of Microsoft's clouds."""
    return urlsplit(settings.SIGN_IN_AUTHORITY).hostname in _MICROSOFT


def _redirect_uri() -> str:
    return f"{settings.PORTAL_ORIGIN}{reverse('access:callback')}"


def session() -> requests.Session:
    """Give a session that reaches the identity provider as this installation is set up to, and nothing else."""
    session = requests.Session()
    session.trust_env = False
    session.verify = settings.SIGN_IN_CA_FILE or True
    if settings.OUTBOUND_PROXY:
        session.proxies = {"https": settings.OUTBOUND_PROXY}
    return session


def _client(connection: requests.Session) -> msal.ConfidentialClientApplication:
    try:
        return msal.ConfidentialClientApplication(
            settings.SIGN_IN_CLIENT_ID,
            client_credential=settings.SIGN_IN_CLIENT_SECRET,
            authority=settings.SIGN_IN_AUTHORITY,
            instance_discovery=is_microsoft(),
            http_client=Wire(connection),
        )
    except (requests.RequestException, ValueError):
        raise away() from None


class Wire:
    """msal's http client, with a time-out on every call.

    What is no JSON object never reaches msal: it writes the body of such an answer, tokens and all,
    into the log.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str, **options: Any) -> requests.Response:
        return self._readable(self._session.get(url, timeout=TIMEOUT_S, **options))

    def post(self, url: str, **options: Any) -> requests.Response:
        return self._readable(self._session.post(url, timeout=TIMEOUT_S, **options))

    def close(self) -> None:
        self._session.close()

    def _readable(self, answer: requests.Response) -> requests.Response:
        try:
            is_object = isinstance(answer.json(), dict)
        except ValueError:
            is_object = False
        if not is_object or answer.status_code >= 500:
            raise requests.RequestException("no answer that can be read") from None
        return answer


def away() -> Unreachable:
    """Give the failure of an identity provider that does not answer, or not in a way that can be read."""
    return Unreachable(
        "The identity provider does not answer.",
        remedy="Try again in a minute. If it stays away, the break-glass account can sign in.",
        code="SSS-SIGN-IN-AWAY",
        system="Identity provider",
    )


def _refused(message: str, code: str = "") -> NotAllowed:
    return NotAllowed(
        f"{message} {f'({code})' if code else ''}".strip(),
        remedy="Start the sign-in again. If it is refused again, ask whoever assigns the portal's app roles.",
        code="SSS-SIGN-IN",
    )
