"""The WinRM listener of one CRM server: TLS, HTTP, sign-in, one thread per connection."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
import select
import socket
import ssl
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import spnego
import spnego.channel_bindings
import spnego.exceptions

from simulator.crm_servers import wsman
from simulator.crm_servers.accounts import Caller
from simulator.crm_servers.machine import Machine
from simulator.crm_servers.soap import (
    INTERNAL_ERROR,
    BadRequest,
    WSManFault,
    read_request,
    write_fault,
    write_response,
)
from simulator.crm_servers.strike import Dropped, NoAnswer, PlainAnswer

SOAP = "application/soap+xml;charset=UTF-8"
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
HANDSHAKE_S = 10.0
MAX_ENVELOPE_BYTES = 512_000
"""WinRM's MaxEnvelopeSizekb, 500 by default."""


@dataclass(frozen=True)
class ServerTls:
    """A server's side of TLS; ``certificate_der`` is what channel binding is made of."""

    context: ssl.SSLContext
    certificate_der: bytes


class Listener(ThreadingHTTPServer):
    """HTTPS on one port, ended by ``shutdown`` and ``server_close``."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, port: int, machine: Machine, tls: ServerTls) -> None:
        super().__init__(("127.0.0.1", port), Connection)
        self.machine, self.tls = machine, tls
        digest = hashlib.sha256(tls.certificate_der).digest()
        # Negotiate over TLS is bound to the server's certificate, so that a relayed sign-in fails.
        self.channel = spnego.channel_bindings.GssChannelBindings(
            application_data=b"tls-server-end-point:" + digest
        )
        self._open: set[socket.socket] = set()

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs to the connection's own thread: a client that stalls it must not
        # keep others out.
        request.settimeout(HANDSHAKE_S)
        with self.tls.context.wrap_socket(request, server_side=True) as secured:
            secured.settimeout(None)
            self._open.add(secured)
            try:
                super().finish_request(secured, client_address)
            finally:
                self._open.discard(secured)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break, in a simulator of faults all the time: not worth a line."""

    def cut(self) -> None:
        """Close every open connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Connection(BaseHTTPRequestHandler):
    """One client connection; with Negotiate the sign-in belongs to the connection, as in Windows."""

    protocol_version = "HTTP/1.1"
    # One segment an answer: head and body apart would each wait for the client's delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener
    caller: Caller | None = None
    negotiation: Any = None

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: bodies and headers carry secrets."""

    def do_POST(self) -> None:
        """Take one WinRM message, from a caller who signs in once a connection."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_ENVELOPE_BYTES:
            self.close_connection = True
            return self._reply(413, b"")
        body = self.rfile.read(length)
        token = self._sign_in(self.headers.get("Authorization", ""))
        if token is None:
            return None
        headers = [("WWW-Authenticate", token)] if token else []
        if not body:
            return self._reply(200, b"", headers)
        return self._serve(body, headers)

    def _sign_in(self, authorization: str) -> str | None:
        """The token to send back with the answer; None: answered already, not signed in (yet)."""
        if authorization.startswith(MUTUAL):
            self.caller = self.server.machine.accounts.mapped(self._certificate_names())
        elif authorization.startswith(("Negotiate ", "NTLM ")):
            scheme, _, token = authorization.partition(" ")
            out = self._negotiate(token)
            if out is None:
                self._challenge()
                return None
            answer = f"{scheme} {base64.b64encode(out).decode()}" if out else ""
            if not self.negotiation.complete:
                self._reply(401, b"", [("WWW-Authenticate", answer)])
                return None
            name = self.negotiation.client_principal or ""
            self.caller = self.server.machine.accounts.signed_in(name)
            return answer
        if self.caller is None:
            self._challenge()
            return None
        return ""

    def _negotiate(self, token: str) -> bytes | None:
        """The next token of the negotiation; None: it failed."""
        try:
            raw = base64.b64decode(token, validate=True)
            if self.negotiation is None or self.negotiation.complete:
                bare = raw.startswith(b"NTLMSSP\0")
                self.negotiation = spnego.server(
                    protocol="ntlm" if bare else "negotiate",
                    channel_bindings=self.server.channel,
                    options=spnego.NegotiateOptions.none
                    if bare
                    else spnego.NegotiateOptions.use_negotiate,
                )
            return self.negotiation.step(raw) or b""
        except (spnego.exceptions.SpnegoError, binascii.Error, ValueError):
            self.negotiation = self.caller = None
            return None

    def _challenge(self) -> None:
        self._reply(401, b"", [("WWW-Authenticate", "Negotiate")])

    def _certificate_names(self) -> list[str]:
        """Common names and alternative names of the client certificate that TLS has verified."""
        connection = self.connection
        shown: Any = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
        if not shown:
            return []
        subject = [pair[1] for part in shown["subject"] for pair in part if pair[0] == "commonName"]
        return subject + [value for _, value in shown.get("subjectAltName", ())]

    def _serve(self, body: bytes, headers: list[tuple[str, str]]) -> None:
        machine = self.server.machine
        machine.note("request", self.path, body)
        try:
            request = read_request(body)
        except BadRequest:
            return self._reply(400, b"", headers)
        spread = wsman.dribble_s(machine, request)
        try:
            content = wsman.answer(machine, self.caller or Caller("", "None"), request)
            return self._reply(200, write_response(request, content), headers, spread=spread)
        except WSManFault as fault:
            return self._reply(500, write_fault(request, fault, machine.name), headers)
        except BadRequest:
            return self._reply(400, b"", headers)
        except PlainAnswer as plain:
            return self._reply(
                plain.status, plain.body, [*headers, *plain.headers], plain.content_type
            )
        except NoAnswer as silence:
            self._say_nothing(silence.seconds)
        except Dropped:
            pass
        except Exception as error:
            machine.report(error)
            failed = WSManFault(INTERNAL_ERROR, "The simulator failed.", "w:InternalError")
            return self._reply(500, write_fault(request, failed, machine.name), headers)
        return self._drop()

    def _say_nothing(self, seconds: float) -> None:
        """Keep the client waiting until it leaves, the time is over or the server stops."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.server.machine.is_stopping:
            if select.select([self.connection], [], [], 0.1)[0]:
                return

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reply(
        self,
        status: int,
        body: bytes,
        headers: list[tuple[str, str]] | None = None,
        content_type: str = SOAP,
        *,
        spread: float = 0.0,
    ) -> None:
        self.server.machine.note("answer", str(status), body)
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not spread:
            self.wfile.write(body)
            return
        pieces = re.findall(rb".{1,%d}" % (len(body) // 10 + 1), body, re.DOTALL)
        for piece in pieces:
            self.server.machine.rest(spread / len(pieces))
            self.wfile.write(piece)
            self.wfile.flush()
