"""Errors in the shape of the Dynamics Web API: ``{"error": {"code": "0x…", "message": "…"}}``."""

from __future__ import annotations

import uuid

from simulator.web.message import Request, Response

USUAL = {
    400: ("0x0", "Bad request."),
    401: ("0x80040216", "HTTP Error 401 - Unauthorized: Access is denied"),
    403: ("0x80040220", "Principal user is missing a privilege."),
    404: ("0x80040217", "The record does not exist."),
    412: (
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    ),
    429: ("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300"
          " seconds."),
    500: ("0x80040216", "An unexpected error occurred."),
    503: ("0x80044151", "SQL timeout expired."),
    504: ("0x80040216", "Gateway timeout."),
}  # fmt: skip


class DynamicsError(Exception):
    """A refused request; ``code`` is the hexadecimal error code of the platform."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        usual = USUAL.get(status, ("0x80040216", "An unexpected error occurred."))
        self.status, self.code = status, code or usual[0]
        self.message = message or usual[1]
        super().__init__(self.message)

    def to_response(self, request: Request) -> Response:
        """Answer as the Web API does: code and message as OData JSON."""
        body = {"error": {"code": self.code, "message": self.message}}
        response = Response.of_json(body, self.status, "application/json; odata.metadata=minimal")
        response.with_header("OData-Version", "4.0")
        return response.with_header("REQ_ID", str(uuid.uuid4()))


def unknown_property(name: str, entity: str) -> DynamicsError:
    text = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{entity}'."
    return DynamicsError(400, "0x80060888", text)


def does_not_exist(entity: str, record_id: str) -> DynamicsError:
    return DynamicsError(404, "0x80040217", f"{entity} With Id = {record_id} Does Not Exist")


def invalid(message: str, code: str = "0x80040203") -> DynamicsError:
    """A value that the platform does not accept."""
    return DynamicsError(400, code, message)


def privilege_missing(user_id: str, privilege: str, entity: str) -> DynamicsError:
    text = (
        f"Principal user (Id={user_id}, type=8) is missing {privilege} privilege on entity"
        f" '{entity}'."
    )
    return DynamicsError(403, "0x80040220", text)
