"""WS-Management messages: read a request, write a response or a WSManFault.

:source: MS-WSMV, MS-PSRP 2.2 and 3.1.5.3 (the messages that carry PowerShell remoting).
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "p": "http://schemas.microsoft.com/powershell",
}
FAULT_NS = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"

# Codes as PowerShell names them: PowerShell/PowerShell, WSManNativeAPI.cs.
ACCESS_DENIED = 5
INTERNAL_ERROR = 2150858817
OPERATION_TIMED_OUT = 2150858793
INVALID_RESOURCE_URI = 2150858811
SESSION_DOES_NOT_EXIST = 2150858843


class WSManFault(Exception):
    """A refusal in the protocol's own words; ``subcode`` is a qualified name such as w:TimedOut."""

    def __init__(self, code: int, message: str, subcode: str) -> None:
        super().__init__(message)
        self.code, self.subcode = code, subcode


class BadRequest(Exception):
    """The body is no WS-Management message."""


@dataclass(frozen=True)
class Request:
    """One message: what is asked, of which shell, and the element that says how."""

    action: str
    message_id: str
    resource_uri: str
    shell_id: str
    timeout_s: float
    body: ET.Element

    @property
    def verb(self) -> str:
        """The last word of the action: Create, Command, Send, Receive, Signal, Delete, …"""
        return self.action.rsplit("/", 1)[-1]


def read_request(raw: bytes) -> Request:
    """Read one message.

    :raises BadRequest: not well-formed, with a document type (entities stay unexpanded that way),
        or without header, body or action.
    """
    try:
        text = raw.decode("utf-8-sig")
        if "<!" in text.replace("<!--", ""):
            raise BadRequest("a document type is not accepted")
        envelope = ET.fromstring(text)  # noqa: S314 - no document type can have got here
    except (ET.ParseError, UnicodeDecodeError) as error:
        raise BadRequest("not well-formed XML") from error
    head, body = envelope.find("s:Header", NS), envelope.find("s:Body", NS)
    action = head.findtext("a:Action", "", NS).strip() if head is not None else ""
    if head is None or body is None or not action:
        raise BadRequest("no header, body or action")
    selectors = head.iterfind("w:SelectorSet/w:Selector", NS)
    return Request(
        action=action,
        message_id=head.findtext("a:MessageID", "", NS),
        resource_uri=head.findtext("w:ResourceURI", "", NS).strip(),
        shell_id=next((s.text or "" for s in selectors if s.get("Name") == "ShellId"), ""),
        timeout_s=_seconds(head.findtext("w:OperationTimeout", "PT20S", NS)),
        body=body,
    )


def write_response(request: Request, content: str) -> bytes:
    """The answer to a request; ``content`` is the body's XML, prefixes as in NS."""
    return _envelope(request.action + "Response", request.message_id, content)


def write_fault(request: Request, fault: WSManFault, machine: str) -> bytes:
    """The answer that refuses a request."""
    side = "Receiver" if fault.subcode in ("w:TimedOut", "w:InternalError") else "Sender"
    text = escape(str(fault))
    return _envelope(
        FAULT_ACTION,
        request.message_id,
        f"<s:Fault><s:Code><s:Value>s:{side}</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{FAULT_NS}" Code="{fault.code}" Machine="{machine}">'
        f"<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )


def _envelope(action: str, relates_to: str, content: str) -> bytes:
    prefixes = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    message_id = str(uuid.uuid4()).upper()
    return (
        f"<s:Envelope {prefixes}><s:Header><a:Action>{escape(action)}</a:Action>"
        f"<a:MessageID>uuid:{message_id}</a:MessageID>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{content}</s:Body></s:Envelope>"
    ).encode()


def _seconds(duration: str) -> float:
    """Seconds of an ISO 8601 duration without days, as clients send it (PT20S, PT1M30.5S)."""
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", duration.strip())
    if found is None:
        raise BadRequest(f"not a duration: {duration[:40]!r}")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
