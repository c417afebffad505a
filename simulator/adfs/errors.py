"""Errors as AD FS words them (MSIS codes)."""

from __future__ import annotations

from simulator.web.message import Response

NO_RESOURCE = (
    "MSIS9601: The 'resource' parameter is missing in the request. Send the 'resource' parameter"
    " that contains the resource identifier's value."
)


class AdfsError(Exception):
    """A refused request."""

    def __init__(self, error: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.error, self.text, self.status = error, text, status

    def to_response(self) -> Response:
        """Answer as AD FS does: the error's name and its text as JSON."""
        body = {"error": self.error, "error_description": self.text}
        return Response.of_json(body, self.status)


def client_unknown() -> AdfsError:
    text = (
        "MSIS9223: Received invalid OAuth authorization request. The received 'client_id' is"
        " invalid as no registered client was found with this client identifier."
    )
    return AdfsError("invalid_client", text, 401)


def code_unfit() -> AdfsError:
    text = (
        "MSIS9612: The authorization code received in 'code' parameter is invalid: it is unknown,"
        " was redeemed already, or belongs to another client or redirect address."
    )
    return AdfsError("invalid_grant", text)
