"""Pack a key anew for its way to a CRM server, just before it is installed. For workers only."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets

from portal.errors import BadInput
from sync_setup.inspection.inspector import read_answer
from sync_setup.inspection.isolation import ask_child

_TRANSPORT_PASSWORD_BYTES = 24


def rewrap(pfx: bytes, password: str) -> tuple[bytes, str]:
    """A PFX with exactly the one key, its certificate and their chain, and its one-time password.

    It imports into the Microsoft Enhanced RSA and AES Cryptographic Provider with KeySpec 1 on
    Windows Server 2016 and later, whatever the uploaded file was like. It is made in the isolated
    child, so this process never parses the uploaded file.

    :param pfx, password: as they were uploaded and inspected.
    :return: the new file, and a password of 192 random bits that is used once.
    :raises BadInput: the file cannot be opened or has not exactly one RSA key with its certificate
        (SSS-CERTIFICATE); the message says why.
    :raises PortalError: two inspections run on this host and did not end in time.
    """
    at = dt.datetime.now(dt.UTC)
    transport_password = secrets.token_urlsafe(_TRANSPORT_PASSWORD_BYTES)
    asked = {"password": password, "transport_password": transport_password}
    ended = ask_child("rewrap", at, pfx, asked)
    try:
        answer = json.loads(ended.answer)
        return base64.b64decode(answer["pfx"], validate=True), transport_password
    except (ValueError, TypeError, KeyError) as error:
        message = read_answer(ended, at).messages[0]
        raise BadInput(
            f"{message.title}. {message.explanation}",
            remedy=message.fix,
            code="SSS-CERTIFICATE",
            field="pfx",
        ) from error
