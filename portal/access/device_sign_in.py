"""Sign-in of a person at a command line: OpenID Connect by device code, through msal.

The command shows a short code; the person enters it in a browser, on whatever machine, and signs in
there. The claims are judged and turned into an identity by the same code as those of the web sign-in.

The app registration must allow public client flows: this flow has no client secret.
Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msal
import requests
from django.conf import settings

from portal.access import identity
from portal.access.identity import Identity
from portal.errors import BadInput, NotAllowed

_WHY_REFUSED = {
    "authorization_declined": "The sign-in was declined in the browser.",
    "access_denied": "The sign-in was declined in the browser.",
    "expired_token": "Nobody signed in with the code in time.",
    "code_expired": "Nobody signed in with the code in time.",
    # msal leaves its loop with this answer when the code's time is over.
    "authorization_pending": "Nobody signed in with the code in time.",
}


@dataclass(frozen=True)
class DeviceCode:
    """What a person needs to sign in for a command.

    :param address: where the browser goes. :param code: what is entered there.
    :param minutes: how long the code is good.
    """

    address: str
    code: str
    minutes: int


def identify(tell: Callable[[DeviceCode], None]) -> Identity:
    """Have a person sign in now, and give who it is. Nothing of it is kept for the next time.

    :param tell: shows the code to the person.
    :raises BadInput: when this installation has no identity provider.
    :raises NotAllowed: when the sign-in was declined, not done in time, or refused, or its token does not fit.
    :raises Unreachable: when the identity provider does not answer, or not in a way that can be read.
    """
    if not identity.is_configured():
        raise BadInput(
            "This installation has no identity provider, so nobody can sign in at the command line.",
            remedy="Set SIGN_IN_AUTHORITY and SIGN_IN_CLIENT_ID as the web server has them.",
            code="SSS-SIGN-IN-NOT-SET",
        )
    with identity.session() as connection:
        try:
            result = _sign_in(connection, tell)
        except (requests.RequestException, ValueError, LookupError):
            raise identity.away() from None
    claims = result.get("id_token_claims")
    if not isinstance(claims, dict):
        raise _refused(str(result.get("error", "")))
    # One judgement of tokens and one reading of claims for both ways to sign in.
    return identity.identity_of(claims)


def _sign_in(connection: requests.Session, tell: Callable[[DeviceCode], None]) -> dict[str, Any]:
    application = msal.PublicClientApplication(
        settings.SIGN_IN_CLIENT_ID,
        authority=settings.SIGN_IN_AUTHORITY,
        instance_discovery=identity.is_microsoft(),
        http_client=identity.Wire(connection),
    )
    flow = application.initiate_device_flow(["User.Read"] if identity.is_microsoft() else [])
    if "user_code" not in flow:
        raise _refused(str(flow.get("error", "")))
    minutes = max(1, int(flow["expires_in"]) // 60)
    tell(DeviceCode(flow["verification_uri"], flow["user_code"], minutes))
    found: dict[str, Any] = application.acquire_token_by_device_flow(flow)
    return found


def _refused(error: str) -> NotAllowed:
    if words := _WHY_REFUSED.get(error):
        return NotAllowed(words, remedy="Run the command again.", code="SSS-SIGN-IN")
    # AADSTS7000218 comes as invalid_client: the registration asks for a secret, which this flow has not.
    return NotAllowed(
        f"The identity provider refused the sign-in by device code ({error or 'no reason given'}).",
        remedy="Allow public client flows in the registration of the portal's sign-in app.\n"
        "Check that no Conditional Access policy blocks the device code flow for this person.",
        code="SSS-SIGN-IN",
    )
