"""What can go wrong, as the IT team sees it.

PortalError(message, remedy, code)        anticipated; safe to show: no secret, no stack
├── GatewayError(…, system, detail)       an outside system did not do as asked
│   ├── Unreachable                       no answer in time; the request was not sent, or its fate is unknown
│   ├── Throttled                         answered "later" (429, 503); retry_after_s is its word
│   ├── Refused                           401/403: our credential may not do this; a person must act
│   ├── Missing                           404: the thing is not there
│   ├── Conflict                          409/412: it changed since it was read
│   ├── Rejected                          400 and the like: understood and turned down; never retried
│   └── Garbled                           an answer that cannot be read
├── NotSettled                            changed, looked again, and it did not hold
├── BadInput                              what a person gave cannot be used; field names where it belongs
├── NotAllowed                            role missing, or own request
├── NotFound                              not there, or not for this person: the two look the same
└── Outpaced                              somebody else was first; reload
"""

from __future__ import annotations

from collections.abc import Mapping


class PortalError(Exception):
    """An anticipated failure, safe to show to whoever caused it.

    :param message: one sentence: what happened.
    :param remedy: how to go on, in the imperative; several lines make a numbered list on the page.
    :param code: stable identifier such as ``SSS-GRAPH-403``; the class's own when left empty.
    """

    code = "SSS-PORTAL"
    status = 409

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code:
            self.code = code


class GatewayError(PortalError):
    """An outside system did not do as asked.

    :param system: who answered, in words for a person ("Microsoft Graph", "CRM server CRM-APP01").
    :param detail: sanitised evidence: status, code, request id. Never a header value, token or password.
    """

    code = "SSS-GATEWAY"
    status = 502
    retries = False
    retry_after_s: float | None = None

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str = "",
        system: str = "",
        detail: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.system = system
        self.detail = dict(detail or {})
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


class Unreachable(GatewayError):
    """No answer in time.

    :ivar sent: False when it is certain that the request never left (no connection); True when its
        effect may have happened all the same.
    """

    code = "SSS-UNREACHABLE"
    retries = True

    def __init__(self, message: str, *, sent: bool = True, **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.sent = sent


class Throttled(GatewayError):
    """The system asked to be left alone for a while; retry_after_s says how long, if it said."""

    code = "SSS-THROTTLED"
    retries = True


class Refused(GatewayError):
    """The credential may not do this; trying again cannot help."""

    code = "SSS-REFUSED"


class Missing(GatewayError):
    """The thing asked for is not there."""

    code = "SSS-MISSING"


class Conflict(GatewayError):
    """It changed between the look and the change; look again."""

    code = "SSS-CONFLICT"


class Rejected(GatewayError):
    """Understood and turned down; never retried.

    :ivar changed: "No", "Yes" or "Unknown", where the system says whether it changed something.
    """

    code = "SSS-REJECTED"

    def __init__(self, message: str, *, changed: str = "No", **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.changed = changed


class Garbled(GatewayError):
    """An answer that cannot be read."""

    code = "SSS-GARBLED"


class NotSettled(PortalError):
    """A step changed something, looked again, and it did not hold."""

    code = "SSS-NOT-SETTLED"


class BadInput(PortalError):
    """What a person gave cannot be used; ``field`` is the form field or command option."""

    code = "SSS-INPUT"
    status = 422

    def __init__(self, message: str, *, remedy: str = "", code: str = "", field: str = "") -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.field = field


class NotAllowed(PortalError):
    """The person lacks the role, or it is their own request."""

    code = "SSS-NOT-ALLOWED"
    status = 403


class NotFound(PortalError):
    """Not there, or nothing this person may know of."""

    code = "SSS-NOT-FOUND"
    status = 404


class Outpaced(PortalError):
    """Somebody else was first, or this process no longer holds the job."""

    code = "SSS-OUTPACED"
