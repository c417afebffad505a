"""How the fields of this app's steps read in plans, runs and history: labels and values as Dynamics' own pages have them.

Names and values: option sets of mailbox and emailserverprofile.
Source: https://learn.microsoft.com/dynamics365/customerengagement/on-premises/developer/entities/mailbox
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from portal.jobs import field_words
from portal.jobs.field_words import FieldWords
from portal.jobs.lines import written
from sync_setup.presentation.profiles import OPTIONS
from sync_setup.server_profiles import LABELS

Options = Mapping[int, str]

DELIVERY: Options = {
    0: "None",
    1: "Microsoft Dynamics 365 for Outlook",
    2: "Server-Side Synchronization or Email Router",
    3: "Forward Mailbox",
}
# Counts differently from the two above.
ACT_DELIVERY: Options = {
    0: "Microsoft Dynamics 365 for Outlook",
    1: "Server-Side Synchronization",
    2: "None",
}
APPROVAL: Options = {0: "Empty", 1: "Approved", 2: "Pending Approval", 3: "Rejected"}
MAILBOX_OPTIONS: Mapping[str, Options] = {
    "incomingemaildeliverymethod": DELIVERY,
    "outgoingemaildeliverymethod": DELIVERY,
    "actdeliverymethod": ACT_DELIVERY,
    "emailrouteraccessapproval": APPROVAL,
}


def _option(options: Options, value: Any) -> str | None:
    """Write the word of an option with its number: the number is what is sent."""
    if type(value) is not int or value not in options:
        return None
    return f"{options[value]} [{value}]"


def _of(label: str, options: Options | None = None) -> FieldWords:
    return FieldWords(label, partial(_option, options)) if options else FieldWords(label)


def certificate_words(value: Any) -> str | None:
    """Write a kept public certificate (base64 of its DER) as subject, thumbprint and end."""
    try:
        found = x509.load_der_x509_certificate(base64.b64decode(str(value), validate=True))
    except (ValueError, binascii.Error):
        return None
    # The thumbprint as Windows shows it; nothing is proved by it here.
    thumbprint = found.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303
    ends = found.not_valid_after_utc
    return (
        f"{found.subject.rfc4514_string()}, thumbprint {written(thumbprint)}, ends {ends:%-d %b %Y}"
    )


_VERSION = {"etag": _of("version of the record")}
_PROFILE = {name: _of(label, OPTIONS.get(name)) for name, label in LABELS.items()} | _VERSION
_MAILBOX = {
    "_emailserverprofile_value": _of("Email server profile"),
    "incomingemaildeliverymethod": _of("Incoming email", DELIVERY),
    "outgoingemaildeliverymethod": _of("Outgoing email", DELIVERY),
    "actdeliverymethod": _of("Appointments, contacts and tasks", ACT_DELIVERY),
    "emailrouteraccessapproval": _of("Approval of the email address", APPROVAL),
    "name": _of("pilot mailbox"),
    "mailbox": _of("mailbox id"),
    "testmailboxaccesscompletedon": _of("last test ended"),
} | _VERSION
_DEFAULTS = {
    "default email server profile": _of("Default email server profile"),
    "default IncomingEmailDeliveryMethod": _of("Default for incoming email", DELIVERY),
    "default OutgoingEmailDeliveryMethod": _of("Default for outgoing email", DELIVERY),
    "default ACTDeliveryMethod": _of("Default for appointments, contacts and tasks", ACT_DELIVERY),
}
_ISSUER = {
    "S2STokenIssuer": _of("Token issuer, by thumbprint"),
    "public certificate before": FieldWords("token issuer before", certificate_words),
}
_STEPS: Mapping[str, Mapping[str, FieldWords]] = {
    "set-token-issuer": _ISSUER,
    "write-server-profile": _PROFILE,
    "change-server-profile": _PROFILE,
    "prove-pilot-mailbox": _MAILBOX,
    "write-organization-defaults": _DEFAULTS,
}


def register() -> None:
    """Have the portal write these fields so wherever it shows them; called once, at start."""
    for step_key, words in _STEPS.items():
        field_words.register(step_key, words)
