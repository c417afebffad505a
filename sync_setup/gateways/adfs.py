"""Tokens of AD FS for a user: by msal from AD FS 2019 on, by the older password grant on 2016.

:source: https://learn.microsoft.com/entra/msal/python/advanced/msal-python-adfs-support (2019 and
    later only); AD FS 2016 wants the parameter ``resource``, which msal does not send.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msal

from portal.errors import Refused
from sync_setup.gateways.dynamics_sign_in import Challenge, DynamicsCredential, DynamicsTarget
from sync_setup.gateways.failures import Origin, garbled
from sync_setup.gateways.http import HttpSession, json_object
from sync_setup.gateways.msal_wire import MsalWire
from sync_setup.gateways.route import Route
from sync_setup.gateways.sign_in_failures import adfs_failure

ADFS = Origin("AD FS", "ADFS")


@dataclass(frozen=True)
class UserToken:
    """A token for a user of Dynamics."""

    value: str = field(repr=False)
    expires_at: datetime

    def is_fresh(self) -> bool:
        """Whether it can still be used for a while."""
        return self.expires_at - timedelta(minutes=2) > datetime.now(UTC)


def user_token(
    challenge: Challenge, credential: DynamicsCredential, target: DynamicsTarget
) -> UserToken:
    """Get a token for the organization that challenged.

    One request with the password at most: a wrong one must not count twice towards a lockout.

    :raises Refused: the user, the password or the client is not accepted; the code ends in the
        MSIS number. SSS-ADFS-NO-CLIENT: no client id is set. SSS-ADFS-TOO-OLD: AD FS 2012 R2.
    """
    if not target.client_id:
        raise Refused(
            "Dynamics asks for a token of AD FS, and no client id is set.",
            remedy="Register a client (Add-AdfsClient, Grant-AdfsApplicationPermission) and enter its "
            "id with the organization.",
            code=ADFS.code("NO-CLIENT"),
            system=ADFS.system,
        )
    found, detail = _ask(challenge, credential, target)
    if "access_token" not in found:
        raise adfs_failure(ADFS, found, detail)
    try:
        lasts = timedelta(seconds=float(found.get("expires_in") or 0))
    except (TypeError, ValueError):
        raise garbled(ADFS, "it does not say how long its token lasts") from None
    return UserToken(str(found["access_token"]), datetime.now(UTC) + lasts)


def _ask(
    challenge: Challenge, credential: DynamicsCredential, target: DynamicsTarget
) -> tuple[dict[str, Any], dict[str, str]]:
    with MsalWire(ADFS, target.route) as wire:
        if _is_2019(challenge.authority, target):
            return _by_msal(wire, challenge, credential, target.client_id), wire.last_detail
        form = {
            "grant_type": "password",
            "client_id": target.client_id,
            "resource": challenge.resource,
            "username": credential.username,
            "password": credential.password,
            "scope": "openid",
        }
        response = wire.post(f"{challenge.authority}/adfs/oauth2/token", data=form)
        return (wire.last_failure or response.json()), wire.last_detail


def _is_2019(authority: str, target: DynamicsTarget) -> bool:
    if target.adfs != "auto":
        return target.adfs == "2019"
    configuration = _configuration(authority, target.route)
    if "password" not in configuration.get("grant_types_supported", ["password"]):
        raise _too_old()
    # GUESS: only AD FS 2019 and later know the device flow. If this is wrong the older grant is
    # used, which they accept as well.
    return "device_authorization_endpoint" in configuration


def _configuration(authority: str, route: Route) -> dict[str, Any]:
    session = HttpSession(ADFS, route)
    try:
        url = f"{authority}/adfs/.well-known/openid-configuration"
        answer = session.request("GET", url, accept=(404,))
        if answer.status == 404:
            raise _too_old()
        return json_object(ADFS, answer)
    finally:
        session.close()


def _by_msal(
    wire: MsalWire, challenge: Challenge, credential: DynamicsCredential, client_id: str
) -> dict[str, Any]:
    try:
        # The confidential kind without a credential sends what a public client sends; msal has
        # deprecated this grant for its public kind, and AD FS offers no other for a service.
        app = msal.ConfidentialClientApplication(
            client_id,
            authority=f"{challenge.authority}/adfs",
            instance_discovery=False,
            http_client=wire,
            enable_pii_log=False,
        )
        answer: dict[str, Any] = app.acquire_token_by_username_password(
            credential.username,
            credential.password,
            # GUESS: AD FS 2019 takes the resource as the front part of a scope.
            scopes=[f"{challenge.resource.rstrip('/')}/openid"],
        )
    except ValueError as error:
        if wire.last_failure:
            return wire.last_failure
        raise garbled(ADFS, "its configuration is not what msal expects") from error
    return answer


def _too_old() -> Refused:
    return Refused(
        "This AD FS accepts no user name and password over OAuth, as AD FS 2012 R2.",
        remedy="Use the organization's internal address with Negotiate, or AD FS 2016 or later.",
        code=ADFS.code("TOO-OLD"),
        system=ADFS.system,
    )
