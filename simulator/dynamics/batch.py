"""``$batch``: multipart/mixed read and written, change sets kept together."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.dynamics.errors import DynamicsError
from simulator.web.message import CaseBlind, Request, Response

LIMIT = 1000
BOUNDARY = re.compile(r'boundary="?([^";\s]+)"?', re.IGNORECASE)
SPLIT = re.compile(rb"\r?\n\r?\n")


@dataclass
class Operation:
    """One request of a batch with its Content-ID (empty outside change sets)."""

    request: Request
    content_id: str = ""


@dataclass
class ChangeSet:
    """Operations that take effect together or not at all."""

    operations: list[Operation] = field(default_factory=list)


def read(request: Request, service_path: str) -> list[Operation | ChangeSet]:
    """The parts of a batch in their order.

    :param service_path: path of the Web API root, for addresses relative to it.
    :raises DynamicsError: malformed, a GET in a change set, more than 1,000 requests.
    """
    parts: list[Operation | ChangeSet] = []
    for headers, content in _parts(request.header("Content-Type"), request.body):
        kind = headers.get("Content-Type") or ""
        if kind.startswith("multipart/mixed"):
            parts.append(_change_set(kind, content, request, service_path))
        else:
            parts.append(_operation(headers, content, request, service_path))
    count = sum(len(p.operations) if isinstance(p, ChangeSet) else 1 for p in parts)
    if count > LIMIT:
        text = (
            "The current batch message contains too many parts. Only batch messages with a maximum"
            f" number of '{LIMIT}' query operations, including changeset operations, are allowed."
        )
        raise DynamicsError(400, "0x80060888", text)
    return parts


def write(answers: Sequence[Response | list[tuple[str, Response]]], status: int) -> Response:
    """The multipart answer; a list stands for a change set with its Content-IDs."""
    boundary = f"batchresponse_{uuid.uuid4()}"
    body = b""
    for answer in answers:
        body += f"--{boundary}\r\n".encode()
        if isinstance(answer, list):
            inner = f"changesetresponse_{uuid.uuid4()}"
            body += f"Content-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode()
            for content_id, response in answer:
                body += f"--{inner}\r\n".encode() + _written(response, content_id)
            body += f"--{inner}--\r\n".encode()
        else:
            body += _written(answer, "")
    body += f"--{boundary}--\r\n".encode()
    headers = [("Content-Type", f"multipart/mixed; boundary={boundary}"), ("OData-Version", "4.0")]
    return Response(status, body, headers)


def _written(response: Response, content_id: str) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Error')}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + response.body + b"\r\n"


REASONS = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified", 400: "Bad Request"}


def _change_set(content_type: str, content: bytes, outer: Request, service_path: str) -> ChangeSet:
    change_set = ChangeSet()
    for headers, inner in _parts(content_type, content):
        operation = _operation(headers, inner, outer, service_path)
        operation.content_id = headers.get("Content-ID") or ""
        if operation.request.method == "GET":
            raise DynamicsError(400, "0x80060888", "GET requests are not allowed in a change set.")
        if not operation.content_id:
            text = "A change set request must have a Content-ID header."
            raise DynamicsError(400, "0x80060888", text)
        change_set.operations.append(operation)
    return change_set


def _operation(
    part_headers: CaseBlind, content: bytes, outer: Request, service_path: str
) -> Operation:
    if not (part_headers.get("Content-Type") or "").startswith("application/http"):
        text = "Each part of a batch must be of type application/http or a change set."
        raise DynamicsError(400, "0x80060888", text)
    head, _, body = _cut(content)
    lines = head.decode("utf-8", "replace").splitlines()
    words = lines[0].split() if lines else []
    if len(words) < 2:
        raise DynamicsError(400, "0x80060888", f"Invalid request line in batch: {lines[:1]}")
    headers = _headers(lines[1:])
    target = _target(words[1], service_path)
    return Operation(
        Request(
            words[0].upper(), target, headers, body.rstrip(b"\r\n"), outer.connection, in_batch=True
        )
    )


def _target(address: str, service_path: str) -> str:
    """Path and query of an address that may be absolute, rooted or relative to the Web API."""
    if "://" in address:
        return "/" + address.split("://", 1)[1].partition("/")[2]
    return address if address.startswith("/") else f"{service_path}/{address}"


def _parts(content_type: str, body: bytes) -> list[tuple[CaseBlind, bytes]]:
    match = BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/mixed") or match is None:
        text = "The content type of a batch must be multipart/mixed with a boundary."
        raise DynamicsError(400, "0x80060888", text)
    mark = b"--" + match[1].encode()
    pieces = (b"\n" + body).split(b"\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise DynamicsError(400, "0x80060888", "The batch does not end with its boundary.")
    parts = []
    for piece in pieces[1:-1]:
        head, _, content = _cut(piece.lstrip(b"\r\n"))
        parts.append((_headers(head.decode("utf-8", "replace").splitlines()), content))
    return parts


def _cut(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, blank line and rest."""
    match = SPLIT.search(content)
    if match is None:
        return content, b"", b""
    return content[: match.start()], match[0], content[match.end() :]


def _headers(lines: Sequence[str]) -> CaseBlind:
    pairs = [line.partition(":") for line in lines if ":" in line]
    return CaseBlind({name.strip(): value.strip() for name, _, value in pairs})
