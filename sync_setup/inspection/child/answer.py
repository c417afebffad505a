"""The question put to the inspector and the answer it gives, as plain values."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any, NamedTuple

Answer = dict[str, Any]


class Given(NamedTuple):
    """What the caller wants to know.

    :ivar at: the instant for which validity is judged.
    :ivar public: a certificate that must be the one in the PFX; None for no comparison.
    """

    data: bytes
    password: str
    at: dt.datetime
    public: bytes | None = None


def refused(code: str, detail: str = "", **facts: Any) -> Answer:
    """The answer where inspection ends before there is a certificate to judge.

    :param detail: which of the reasons for this code it is; chooses the wording.
    """
    return {"codes": [code], "detail": detail, **facts}


def encoded(data: bytes) -> str:
    """Bytes for the JSON answer."""
    return base64.b64encode(data).decode("ascii")
