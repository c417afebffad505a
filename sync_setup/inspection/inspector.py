"""Inspect a certificate file: ``inspect_pfx``, ``inspect_public``, ``inspect_file``.

None of them raises for a bad file; a bad file is a report with the verdict ``reject``.
"""

from __future__ import annotations

import datetime as dt
import json

from sync_setup.inspection.forms import LIMIT_BYTES
from sync_setup.inspection.isolation import Ended, ask_child
from sync_setup.inspection.report import Report, report_of, stopped_report, too_large_report


def inspect_pfx(
    data: bytes, password: str, *, at: dt.datetime | None = None, public: bytes | None = None
) -> Report:
    """Judge a PFX as token issuer of server-to-server authentication.

    :param password: empty for a file without one.
    :param at: an aware instant for which validity is judged; now, unless given.
    :param public: bytes of a .cer file that must hold the same certificate.
    :raises PortalError: two inspections run on this host and did not end in time.
    """
    secrets = {"password": password}
    if public is not None:
        # One byte more than may be there, so that a larger file cannot pass for its beginning.
        secrets["public"] = public[: LIMIT_BYTES + 1].hex()
    return _inspect("pfx", data, secrets, at)


def inspect_public(data: bytes, *, at: dt.datetime | None = None) -> Report:
    """Judge a certificate without its key (.cer, .crt, .pem), such as one from a server's store.

    :raises PortalError: as ``inspect_pfx``.
    """
    return _inspect("public", data, {}, at)


def inspect_file(data: bytes, password: str, *, at: dt.datetime | None = None) -> Report:
    """Judge a file by what it is: a certificate as ``inspect_public``, anything else as a PFX.

    :raises PortalError: as ``inspect_pfx``.
    """
    return _inspect("either", data, {"password": password}, at)


def _inspect(question: str, data: bytes, secrets: dict[str, str], at: dt.datetime | None) -> Report:
    at = (at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    if len(data) > LIMIT_BYTES:
        return too_large_report(at)
    return read_answer(ask_child(question, at, data, secrets), at)


def read_answer(ended: Ended, at: dt.datetime) -> Report:
    """The report for the way in which a child ended: it answered, or its limits stopped it."""
    try:
        return report_of(json.loads(ended.answer), at)
    except (ValueError, TypeError, AttributeError):
        return stopped_report(at)
