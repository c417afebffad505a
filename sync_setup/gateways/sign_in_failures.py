"""What Entra ID and AD FS say when they refuse a sign-in, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from portal.errors import GatewayError, Missing, Refused, Rejected, Throttled
from sync_setup.gateways.failures import Origin, clean

_AADSTS = re.compile(r"\bAADSTS(\d{4,8})\b")
_MSIS = re.compile(r"\bMSIS(\d{4,5})\b")

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ENTRA: dict[str, tuple[type[GatewayError], str, str]] = {
    "700016": (
        Refused,
        "the app is not registered in this tenant",
        "Check the application (client) id, the tenant and the cloud; a new app needs some minutes.",
    ),
    "7000215": (
        Refused,
        "the client secret is wrong",
        "Enter the secret's value, not its id; a new secret needs some minutes.",
    ),
    "7000222": (
        Refused,
        "the client secret has expired",
        "Create a new client secret for the app, or use a certificate.",
    ),
    "700027": (
        Refused,
        "the app's certificate is not registered with it",
        "Upload the certificate to the app registration; a new one needs some minutes.",
    ),
    "700024": (
        Refused,
        "the portal's clock is wrong, so its assertion is out of time",
        "Synchronize the clock of the portal's machine (NTP).",
    ),
    "7000112": (Refused, "the app is disabled", "Enable the app in Enterprise applications."),
    "7000218": (
        Refused,
        "the app must prove itself",
        "Give the app's client secret or certificate in the portal.",
    ),
    "65001": (
        Refused,
        "nobody has consented to the app's permissions",
        "Grant admin consent to the app in this tenant.",
    ),
    "53003": (
        Refused,
        "a Conditional Access policy blocks the sign-in",
        "Exclude the app from the policy while the setup runs, or sign in from an allowed place.",
    ),
    "50076": (Refused, "multifactor authentication is required", "Sign in interactively."),
    "50126": (Refused, "the user name or password is wrong", "Enter them again."),
    "500011": (
        Missing,
        "Microsoft Graph is not known in this tenant",
        "Check that the tenant belongs to the chosen cloud.",
    ),
    "90002": (
        Missing,
        "there is no such tenant",
        "Check the tenant's id or domain, and the cloud.",
    ),
    "900023": (
        Missing,
        "there is no such tenant",
        "Check the tenant's id or domain, and the cloud.",
    ),
    "54005": (Rejected, "the sign-in was used already", "Sign in again."),
    "70008": (Rejected, "the sign-in has expired", "Sign in again."),
    "90033": (Throttled, "it is not available at the moment", "Wait; the portal tries again."),
}


def entra_failure(
    origin: Origin, body: Mapping[str, Any], detail: Mapping[str, str]
) -> GatewayError:
    """Turn a refusal of the token endpoint into an error whose code ends in the AADSTS number.

    :param body: the OAuth error: ``error``, ``error_description``, ids.
    """
    words = str(body.get("error_description", ""))
    found = _AADSTS.search(words)
    number = found.group(1) if found else ""
    error = str(body.get("error", ""))
    known = _ENTRA.get(number)
    if known is None and error == "temporarily_unavailable":
        known = _ENTRA["90033"]
    if known is None:
        kind = (
            Refused
            if error in {"invalid_client", "unauthorized_client", "access_denied"}
            else Rejected
        )
        known = (
            kind,
            clean(words) or error,
            "Look the AADSTS number up and correct what it names.",
        )
    kind_, sentence, remedy = known
    evidence = {"error": error, "answer": clean(words)} | dict(detail)
    for name in ("trace_id", "correlation_id"):
        if body.get(name):
            evidence[name] = str(body[name])[:100]
    return kind_(
        f"{origin.system} refuses the sign-in: {sentence}.",
        remedy=remedy,
        code=origin.code(f"AADSTS{number}" if number else error.upper().replace("_", "-")[:40]),
        system=origin.system,
        detail=evidence,
    )


_ADFS_HOW = (
    "Check Add-AdfsClient (the client id) and Grant-AdfsApplicationPermission (ServerRoleIdentifier "
    "is the organization's URL, ScopeNames openid)."
)
_ADFS: dict[str, tuple[str, str]] = {
    "invalid_client": ("it does not know the client id", _ADFS_HOW),
    "unauthorized_client": ("the client may not use this kind of sign-in", _ADFS_HOW),
    "invalid_resource": ("it does not know the organization's URL", _ADFS_HOW),
    "unsupported_grant_type": (
        "it accepts no user name and password over OAuth",
        "Use the organization's internal address with Negotiate, or AD FS 2016 or later.",
    ),
    "invalid_grant": (
        "the user name or password is wrong, or the user must use multifactor authentication",
        "Enter them again, as user@domain; exclude this user from multifactor authentication.",
    ),
}


def adfs_failure(
    origin: Origin, body: Mapping[str, Any], detail: Mapping[str, str]
) -> GatewayError:
    """Turn a refusal of AD FS into an error whose code ends in the MSIS number, if there is one."""
    words, error = str(body.get("error_description", "")), str(body.get("error", ""))
    found = _MSIS.search(words)
    ending = f"MSIS{found.group(1)}" if found else error.upper().replace("_", "-")[:40]
    sentence, remedy = _ADFS.get(error, (clean(words) or error, _ADFS_HOW))
    return Refused(
        f"{origin.system} refuses the sign-in: {sentence}.",
        remedy=remedy,
        code=origin.code(ending),
        system=origin.system,
        detail={"error": error, "answer": clean(words)} | dict(detail),
    )
