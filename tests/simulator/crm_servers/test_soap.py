from __future__ import annotations

import pytest

from simulator.crm_servers.soap import (
    OPERATION_TIMED_OUT,
    BadRequest,
    WSManFault,
    read_request,
    write_fault,
)

CREATE = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"


def message(action: str = CREATE, timeout: str = "PT20S", before: str = "") -> bytes:
    return (
        f'{before}<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}"><s:Header>'
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:1</a:MessageID>"
        f"<w:OperationTimeout>{timeout}</w:OperationTimeout></s:Header><s:Body/></s:Envelope>"
    ).encode()


@pytest.mark.parametrize(
    ("duration", "seconds"), [("PT20S", 20.0), ("PT1M30.5S", 90.5), ("PT2H", 7200.0)]
)
def test_a_request_says_what_and_how_long(duration: str, seconds: float) -> None:
    request = read_request(message(timeout=duration))

    assert (request.verb, request.message_id, request.timeout_s) == ("Create", "uuid:1", seconds)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no xml",
        b"\xff\xfe\x00",
        message(action=""),
        message(timeout="soon"),
        message(before='<!DOCTYPE x [<!ENTITY a "aaaa">]>'),
        b"<x/>",
    ],
    ids=["empty", "text", "UTF-16", "no action", "no duration", "document type", "no envelope"],
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(raw)


def test_a_fault_carries_code_machine_and_escaped_text() -> None:
    fault = WSManFault(OPERATION_TIMED_OUT, "<late> & slow", "w:TimedOut")

    text = write_fault(read_request(message()), fault, "CRM-APP01").decode()

    assert f'Code="{OPERATION_TIMED_OUT}" Machine="CRM-APP01"' in text
    assert "<f:Message>&lt;late&gt; &amp; slow</f:Message>" in text
    assert "<s:Value>s:Receiver</s:Value>" in text
