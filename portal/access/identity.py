"""Sign-in with OpenID Connect through msal: authorization code with PKCE, state and nonce."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msal
import requests
from django.conf import settings
from django.urls import reverse

from portal.errors import NotAllowed, Unreachable

_MICROSOFT = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")


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
    flow: dict[str, Any] = _client().initiate_auth_code_flow(
        ["User.Read"] if _is_microsoft() else [], redirect_uri=_redirect_uri(), response_mode="query"
    )
    if "auth_uri" not in flow:
        raise NotAllowed(
            "The identity provider did not start a sign-in.", code="SSS-SIGN-IN", remedy="Try again."
        )
    return flow


def finish(flow: dict[str, Any], answer: dict[str, str]) -> Identity:
    """Redeem the code that the browser brought back.

    :raises NotAllowed: when state, nonce, issuer or tenant do not fit, or the provider refused.
    """
    try:
        result = _client().acquire_token_by_auth_code_flow(flow, answer)
    except ValueError:  # msal: the state is not the one this browser began with
        raise _refused("This sign-in was not started from this browser.") from None
    claims = result.get("id_token_claims")
    if not claims:
        raise _refused("The identity provider refused the sign-in.", result.get("error", ""))
    _check_tenant(claims)
    return Identity(
        issuer=claims["iss"],
        # oid names a person across a tenant's apps; sub is what a provider without it has.
        subject=claims.get("oid") or claims["sub"],
        username=(claims.get("preferred_username") or claims["sub"]).lower(),
        name=claims.get("name", ""),
        roles=[str(role) for role in claims.get("roles", [])],
    )


def _check_tenant(claims: dict[str, Any]) -> None:
    expected = urlsplit(settings.SIGN_IN_AUTHORITY).path.strip("/").partition("/")[0].lower()
    tenant = str(claims.get("tid", "")).lower()
    if _looks_like_tenant(expected) and tenant and tenant != expected:
        raise _refused("You signed in with an account of another tenant.")


def _looks_like_tenant(part: str) -> bool:
    return len(part) == 36 and part.count("-") == 4


def _is_microsoft() -> bool:
    return urlsplit(settings.SIGN_IN_AUTHORITY).hostname in _MICROSOFT


def _redirect_uri() -> str:
    return f"{settings.PORTAL_ORIGIN}{reverse('access:callback')}"


def _client() -> msal.ConfidentialClientApplication:
    session = requests.Session()
    session.trust_env = False
    session.verify = settings.SIGN_IN_CA_FILE or True
    if settings.OUTBOUND_PROXY:
        session.proxies = {"https": settings.OUTBOUND_PROXY}
    try:
        return msal.ConfidentialClientApplication(
            settings.SIGN_IN_CLIENT_ID,
            client_credential=settings.SIGN_IN_CLIENT_SECRET,
            authority=settings.SIGN_IN_AUTHORITY,
            instance_discovery=_is_microsoft(),
            http_client=_Timed(session),
        )
    except (requests.RequestException, ValueError):
        raise Unreachable(
            "The identity provider does not answer.",
            remedy="Try again in a minute. If it stays away, the break-glass account can sign in.",
            code="SSS-SIGN-IN-AWAY",
            system="Identity provider",
        ) from None


class _Timed:
    """msal's http client, with a time-out on every call."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str, **options: Any) -> requests.Response:
        return self._session.get(url, timeout=10, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        return self._session.post(url, timeout=10, **options)

    def close(self) -> None:
        self._session.close()


def _refused(message: str, code: str = "") -> NotAllowed:
    return NotAllowed(
        f"{message} {f'({code})' if code else ''}".strip(),
        remedy="Start the sign-in again. If it is refused again, ask whoever assigns the portal's app roles.",
        code="SSS-SIGN-IN",
    )
