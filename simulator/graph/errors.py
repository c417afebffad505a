"""Errors in the shape of Microsoft Graph."""

from __future__ import annotations

import datetime
import uuid

from simulator.web.message import Request, Response

USUAL = {
    400: ("Request_BadRequest", "Invalid request."),
    401: ("InvalidAuthenticationToken", "Access token is empty."),
    403: (
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    ),
    404: ("Request_ResourceNotFound", "Resource does not exist or one of its queried"
          " reference-property objects are not present."),
    405: ("Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
    409: ("Request_MultipleObjectsWithSameKeyValue", "Another object with the same value exists."),
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "Something went wrong. Please try again."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please try again later."),
    504: ("GatewayTimeout", "The request timed out."),
}  # fmt: skip


class GraphError(Exception):
    """A refused request; empty code and message stand for the usual ones of the status."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        usual = USUAL.get(status, ("UnknownError", ""))
        self.status, self.code = status, code or usual[0]
        self.message = message or usual[1]
        super().__init__(self.message)

    def to_response(self, request: Request) -> Response:
        """The error body with both request ids."""
        own = str(uuid.uuid4())
        inner = {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": own,
            "client-request-id": request.header("client-request-id") or own,
        }
        error = {"code": self.code, "message": self.message, "innerError": inner}
        response = Response.of_json({"error": error}, self.status)
        if self.status == 401:
            response.with_header("WWW-Authenticate", 'Bearer realm="", error="invalid_token"')
        return response


def not_found(name: str) -> GraphError:
    text = (
        f"Resource '{name}' does not exist or one of its queried reference-property objects are"
        " not present."
    )
    return GraphError(404, "Request_ResourceNotFound", text)


def bad_property(name: str, kind: str) -> GraphError:
    text = f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
    return GraphError(400, "BadRequest", text)
