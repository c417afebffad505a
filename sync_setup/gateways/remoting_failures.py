"""What WinRM and PowerShell say when they refuse, as errors of the portal."""

from __future__ import annotations

import binascii
import re
import struct
import xml.etree.ElementTree as ET

import requests
import urllib3
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from spnego.exceptions import SpnegoError

from portal.errors import (
    GatewayError,
    Missing,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from sync_setup.gateways.failures import Origin, clean, from_exception, from_status, garbled
from sync_setup.gateways.wire import OutOfTime, TooLong

# pypsrp parses what a server sends without a net: XML, base64, struct and dictionary errors all
# mean that the answer cannot be read.
_UNREADABLE = (
    ET.ParseError,
    struct.error,
    binascii.Error,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)
LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    OutOfTime,
    TooLong,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    WinRMError,
    SpnegoError,
    OSError,
    *_UNREADABLE,
)

_TIMED_OUT, _NO_SHELL, _DENIED = 2150858793, 2150858843, 5
_INSTALL = (
    "Install the SssPortal endpoint on this server (Install-SssPortal.ps1, as an administrator), "
    "then check again."
)
_SIGN_IN = "Check the account and its password, and that WinRM accepts Negotiate over HTTPS."
_GROUP = "Add the account to the group that may use the SssPortal endpoint on this server."
_RESOURCE = re.compile(
    r"session configuration|resource uri|shell uri is not valid|cannot find the resource", re.I
)
_QUOTA = re.compile(
    r"maximum number of (concurrent )?(shells|operations|users)|concurrent|quota", re.I
)


def from_library(
    origin: Origin, error: Exception, *, sent: bool, forbidden: str = ""
) -> GatewayError:
    """Turn an exception of pypsrp, requests or pyspnego into an error.

    :param sent: the function that was called may have run. Then no class of error says that it did
        not: a 401, a 503 or a fault can be the answer to a later message, while the function runs on.
    :param forbidden: why the server's address was refused.
    """
    failed = _translated(origin, error, sent, forbidden)
    if sent:
        failed.detail["changed"] = "Unknown"
        if isinstance(failed, Rejected):
            failed.changed = "Unknown"
    return failed


def _translated(origin: Origin, error: Exception, sent: bool, forbidden: str) -> GatewayError:
    if isinstance(error, WSManFaultError):
        return _from_fault(origin, error, sent)
    if isinstance(error, AuthenticationError | SpnegoError):
        return Refused(
            f"{origin.system} does not accept the sign-in.",
            remedy=_SIGN_IN,
            code=origin.code("SIGN-IN"),
            system=origin.system,
            detail={"cause": type(error).__name__},
        )
    if isinstance(error, WinRMTransportError):
        failed = from_status(origin, int(error.code), words="")
        if isinstance(failed, Unreachable):
            failed.sent = sent
        return failed
    if isinstance(error, OutOfTime):
        return Unreachable(
            f"{origin.system} did not finish in the time it has.",
            sent=sent,
            remedy="Wait; the portal looks before it does anything again.",
            code=origin.code("TIMEOUT"),
            system=origin.system,
            detail={"cause": "deadline", "sent": "maybe" if sent else "no"},
        )
    if isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError | OSError):
        return from_exception(origin, error, sent=sent, forbidden=forbidden)
    if isinstance(error, TooLong):
        return garbled(origin, "it is too long")
    return garbled(origin, "it is no PowerShell remoting", {"cause": type(error).__name__})


def _from_fault(origin: Origin, fault: WSManFaultError, sent: bool) -> GatewayError:
    words = clean(str(fault.provider_fault or fault.reason or ""))
    detail = {
        "fault": str(fault.code),
        "answer": words,
        "machine": clean(str(fault.machine or ""), 80),
    }
    more = {"system": origin.system, "detail": {k: v for k, v in detail.items() if v}}
    if fault.code == _DENIED or "access is denied" in words.lower():
        message = f"{origin.system} does not let this account use the endpoint."
        return Refused(message, remedy=_GROUP, code=origin.code("ACCESS-DENIED"), **more)  # type: ignore[arg-type]
    if fault.code == _NO_SHELL:
        message = f"The session with {origin.system} is gone."
        again = "Wait; the portal opens a new one."
        return Unreachable(
            message, sent=sent, remedy=again, code=origin.code("SESSION-LOST"), **more
        )
    # GUESS: Windows versions give this fault different numbers; the words are the same.
    if _RESOURCE.search(words):
        message = f"{origin.system} has no SssPortal endpoint."
        return Missing(message, remedy=_INSTALL, code=origin.code("NO-ENDPOINT"), **more)  # type: ignore[arg-type]
    if _QUOTA.search(words):
        message = f"{origin.system} has too many remote sessions."
        return Throttled(message, remedy=_QUOTA_HELP, code=origin.code("QUOTA"), **more)  # type: ignore[arg-type]
    message = f"{origin.system} failed in WinRM ({fault.code}: {words})."
    ending = "TIMEOUT" if fault.code == _TIMED_OUT else fault.code
    return Unreachable(message, sent=sent, remedy=_LOG, code=origin.code(ending), **more)


_QUOTA_HELP = "Wait for old sessions to end, or raise MaxShellsPerUser on this server."
_LOG = "Look into the event log Windows Remote Management of this server."


def from_power_shell(origin: Origin, command: str, record: object, *, ended: str) -> GatewayError:
    """Turn PowerShell's own error into an error: parameter binding, an unknown command, or a stop.

    :param record: pypsrp's error record; its position and stack are left out.
    """
    error_id = _error_id(record)
    words = clean(str(record))
    detail = {"error_id": clean(error_id, 120), "answer": words, "command": command}
    if error_id.startswith("CommandNotFoundException"):
        return Missing(
            f"{origin.system} does not know {command}.",
            remedy=_INSTALL,
            code=origin.code("NO-COMMAND"),
            system=origin.system,
            detail=detail,
        )
    if ended == "stopped" or "PipelineStopped" in error_id:
        return Unreachable(
            f"{origin.system} stopped {command} before it had finished.",
            sent=True,
            remedy="Wait; the portal looks before it does anything again.",
            code=origin.code("STOPPED"),
            system=origin.system,
            detail=detail,
        )
    is_binding = re.match(
        r"Parameter|Argument|NamedParameter|Missing|Ambiguous|CannotConvert", error_id
    )
    return Rejected(
        f"{origin.system} does not accept the parameters of {command} ({words})."
        if is_binding
        else f"{command} failed on {origin.system} ({words}).",
        changed="No" if is_binding else "Unknown",
        remedy="Install the version of the SssPortal module that belongs to this portal.",
        code=origin.code("BadParameter" if is_binding else "FAILED"),
        system=origin.system,
        detail=detail,
    )


def _error_id(record: object) -> str:
    """FullyQualifiedErrorId; the record of a failed pipeline comes without its own class."""
    own = getattr(record, "fq_error", None)
    more = getattr(record, "extended_properties", None) or {}
    return str(own or more.get("FullyQualifiedErrorId") or "")
