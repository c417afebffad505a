"""Tokens of Entra ID for an app, kept in memory only.

:source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import msal

from portal.errors import BadInput, Refused
from sync_setup.gateways.clouds import Cloud
from sync_setup.gateways.failures import Origin, garbled
from sync_setup.gateways.identifiers import GUID, AppId, TenantId
from sync_setup.gateways.msal_wire import MsalWire
from sync_setup.gateways.sign_in_failures import entra_failure

ENTRA = Origin("Microsoft Entra ID", "ENTRA")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)+")
# Hosts that msal knows and for which it asks nobody whether they are a sign-in host.
_MICROSOFT = frozenset(msal.authority.WELL_KNOWN_AUTHORITY_HOSTS)
_EARLY = timedelta(minutes=5)


@dataclass(frozen=True)
class EntraApp:
    """An app registration and how it proves itself: by a certificate, or by a secret.

    :ivar certificate_pem: public certificate, PEM.
    :ivar private_key_pem: its key, PEM without a passphrase.
    """

    app_id: AppId
    secret: str = field(default="", repr=False)
    certificate_pem: bytes = b""
    private_key_pem: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Token:
    """An access token and what it says of itself.

    :ivar tenant_id: claim ``tid``, empty if the token cannot be looked into.
    :ivar roles: application permissions; empty when nobody consented.
    :ivar scopes: delegated permissions, for a person's token.
    :ivar app_id: claim ``appid``.
    """

    value: str = field(repr=False)
    tenant_id: TenantId
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    app_id: AppId
    expires_at: datetime

    def is_fresh(self, now: datetime | None = None) -> bool:
        """Whether it can still be used for a while."""
        return self.expires_at - _EARLY > (now or datetime.now(UTC))


class TokenSource(Protocol):
    """Where a gateway gets its token."""

    def token(self) -> Token:
        """Give a token that is still good for a while."""
        ...


class AppTokens:
    """Tokens of one app for Microsoft Graph, in one tenant.

    :param tenant: id or verified domain of the tenant.
    :raises BadInput: the tenant is neither, or the app has no credential.
    """

    def __init__(self, cloud: Cloud, tenant: str, app: EntraApp) -> None:
        self._cloud, self._app = cloud, app
        self._tenant = checked_tenant(tenant)
        self._token: Token | None = None
        if not app.secret and not (app.certificate_pem and app.private_key_pem):
            raise BadInput(
                "The setup app has no credential.",
                remedy="Give the app's client secret, or its certificate with the private key.",
                code="SSS-INPUT-APP",
                field="secret",
            )

    def token(self) -> Token:
        """Give the token in hand while it is fresh, else a new one.

        :raises Refused: Entra ID does not accept the app; the code ends in the AADSTS number. Also
            when the token is for another tenant than the one that was asked for.
        :raises Missing: there is no such tenant in this cloud.
        :raises BadInput: the private key cannot be read or does not fit.
        """
        if self._token is None or not self._token.is_fresh():
            self._token = self.new_token()
        return self._token

    def new_token(self) -> Token:
        """Ask Entra ID, whatever is in hand: the proof that an app can still sign in, or no more.

        An app that was deleted is refused with SSS-ENTRA-AADSTS700016, a deleted secret with
        SSS-ENTRA-AADSTS7000215; both can take minutes to be true everywhere.
        """
        with MsalWire(ENTRA, self._cloud.route()) as wire:
            found = self._acquire(wire)
        if "access_token" not in found:
            raise entra_failure(ENTRA, found, wire.last_detail)
        token = read_token(str(found["access_token"]), float(found.get("expires_in") or 0))
        if GUID.fullmatch(self._tenant) and token.tenant_id not in ("", self._tenant):
            raise other_tenant(token.tenant_id, self._tenant)
        return token

    def _acquire(self, wire: MsalWire) -> dict[str, Any]:
        try:
            app = msal.ConfidentialClientApplication(
                str(self._app.app_id),
                client_credential=self._credential(),
                authority=f"{self._cloud.authority}/{self._tenant}",
                instance_discovery=None if self._is_microsofts() else False,
                http_client=wire,
                enable_pii_log=False,
            )
            answer: dict[str, Any] = app.acquire_token_for_client([f"{self._cloud.graph}/.default"])
        except (ValueError, TypeError) as error:
            if wire.last_failure:
                raise entra_failure(ENTRA, wire.last_failure, wire.last_detail) from error
            raise BadInput(
                "The setup app's private key or certificate cannot be used.",
                remedy="Give an RSA key and its certificate, both as PEM, the key without a password.",
                code="SSS-INPUT-APP",
                field="private_key_pem",
            ) from None
        return answer

    def _credential(self) -> str | dict[str, str]:
        app = self._app
        if app.secret:
            return app.secret
        return {
            "private_key": app.private_key_pem.decode("ascii", "replace"),
            "public_certificate": app.certificate_pem.decode("ascii", "replace"),
        }

    def _is_microsofts(self) -> bool:
        return urlsplit(self._cloud.authority).hostname in _MICROSOFT and not self._cloud.simulated


def checked_tenant(tenant: str) -> str:
    """Accept a tenant's id or verified domain, in lower case: it becomes part of a URL.

    :raises BadInput: it is neither.
    """
    name = tenant.strip().lower()
    if GUID.fullmatch(name) or (len(name) <= 253 and _DOMAIN.fullmatch(name)):
        return name
    raise BadInput(
        "This is not the name of a tenant.",
        remedy="Enter the tenant's id (a GUID) or one of its verified domains.",
        code="SSS-INPUT-TENANT",
        field="tenant_id",
    )


def read_token(value: str, expires_in_s: float) -> Token:
    """Look into an access token, without proving its signature: only the API it is for can do that.

    :raises Garbled: it is no JSON web token.
    """
    # GUESS: Graph's tokens stay readable; Microsoft asks clients not to rely on it.
    try:
        body = value.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        roles, scopes = claims.get("roles", []), str(claims.get("scp", "")).split()
        return Token(
            value=value,
            tenant_id=TenantId(str(claims.get("tid", "")).lower()),
            roles=tuple(sorted(str(role) for role in roles)),
            scopes=tuple(sorted(scopes)),
            app_id=AppId(str(claims.get("appid", claims.get("azp", ""))).lower()),
            expires_at=datetime.now(UTC) + timedelta(seconds=expires_in_s),
        )
    except (IndexError, ValueError, AttributeError, TypeError):
        raise garbled(ENTRA, "its token is no JSON web token") from None


def other_tenant(found: str, wanted: str) -> Refused:
    """The credential belongs to another tenant than the plan."""
    return Refused(
        f"The sign-in is for the tenant {found}, not for {wanted}.",
        remedy="Use an app that is registered in the organization's own tenant.",
        code=ENTRA.code("TENANT"),
        system=ENTRA.system,
        detail={"token_tenant": found, "wanted_tenant": wanted},
    )
