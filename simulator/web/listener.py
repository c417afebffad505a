"""A listening socket of one simulated web system; it can be taken away, so that nothing listens."""

from __future__ import annotations

import contextlib
import email.utils
import select
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from simulator.dials import Dials
from simulator.web.calls import Calls
from simulator.web.faults import Delivery, serve
from simulator.web.message import Request, Response, System, headers_of

LARGEST_BODY = 64 * 1024 * 1024


class Listener:
    """Serves one system on one port of the loopback interface.

    While a ``refused`` dial stands, the socket is closed and connections are cut, so a client gets
    a true "connection refused"; afterwards the same port listens again.
    """

    def __init__(
        self,
        name: str,
        system: System,
        *,
        port: int,
        tls: ssl.SSLContext | None,
        dials: Dials,
        calls: Calls,
    ) -> None:
        self.name, self.system, self.tls = name, system, tls
        self.dials, self.calls = dials, calls
        self.is_stopping = False
        self._lock = threading.Lock()
        self._server: _Server | None = _Server(self, port)
        self.port: int = self._server.server_address[1]
        dials.on_change(self._follow_dials)

    def start(self) -> None:
        """Listen, unless a dial says that this system is away."""
        self._run()
        self._follow_dials()

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self.is_stopping = True
        with self._lock:
            self._close()

    def _follow_dials(self) -> None:
        with self._lock:
            if self.is_stopping:
                return
            if self.dials.is_refused(self.name):
                self._close()
            elif self._server is None:
                self._server = _Server(self, self.port)
                self._run()

    def _run(self) -> None:
        if self._server is not None:
            run = self._server.serve_forever
            threading.Thread(target=run, args=(0.05,), name=self.name, daemon=True).start()

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.is_closed = True
            server.shutdown()
            server.server_close()
            server.cut()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, listener: Listener, port: int) -> None:
        self.listener = listener
        self.is_closed = False
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.listener.tls is not None:
            # The handshake belongs to the connection's own thread: a slow client must not hold up
            # the others.
            connection = self.listener.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is the client's business; anything else is a defect of ours."""
        error = sys.exception()
        if not isinstance(error, OSError | ssl.SSLError):
            traceback.print_exception(error)

    def cut(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 300

    def setup(self) -> None:
        super().setup()
        self.state: dict[str, object] = {}

    def handle(self) -> None:
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
            super().handle()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or len(self.raw_requestline) > 65536:
            self.close_connection = True
            return
        if self.parse_request():
            self._serve()

    def _serve(self) -> None:
        request = self._request()
        if request is None:
            self.close_connection = True
            return
        listener = self.server.listener
        call = listener.calls.arrived(listener.name, request.method, request.target)
        started = time.monotonic()
        fault = listener.dials.take(listener.name, request.what)
        call["fault"] = fault.fault if fault else None
        try:
            delivery = serve(listener.system, request, fault)
        except Exception:
            # A defect of the simulator must be seen, and must not look like a fault of the network.
            traceback.print_exc()
            delivery = Delivery(Response(500, b"The simulator failed; see its output."))
        call["status"] = delivery.response.status
        call["seconds"] = round(time.monotonic() - started, 4)
        self._deliver(delivery)

    def _request(self) -> Request | None:
        if self.headers.get("Transfer-Encoding"):
            self.wfile.write(b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n")
            return None
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.wfile.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            return None
        headers = headers_of(self.headers)
        return Request(self.command, self.path, headers, body, self.state)

    def _deliver(self, delivery: Delivery) -> None:
        response = delivery.response
        if delivery.manner == "never":
            self._wait_for_client_to_leave(delivery.seconds)
        if delivery.manner in ("never", "drop"):
            # Linger 0 makes the close a reset: the client sees a broken connection at once.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        listener = self.server.listener
        ahead = listener.dials.setting(f"{listener.name}/clock_ahead_seconds", 0.0)
        head = _head(response, time.time() + ahead)
        body = b"" if self.command == "HEAD" else response.body
        if delivery.manner == "truncated":
            self.wfile.write(head + body[: len(body) // 2])
            self.close_connection = True
        elif delivery.manner == "slow":
            self._dribble(head, body, delivery.seconds)
        else:
            self.wfile.write(head + body)
        if response.must_close:
            self.close_connection = True

    def _dribble(self, head: bytes, body: bytes, seconds: float) -> None:
        pieces = 20
        size = max(1, -(-len(body) // pieces))
        self.wfile.write(head)
        for start in range(0, len(body), size):
            time.sleep(seconds / pieces)
            self.wfile.write(body[start : start + size])

    def _wait_for_client_to_leave(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.server.is_closed:
            if select.select([self.connection], [], [], 0.1)[0]:
                return

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the list of calls tells more, and no secret may reach the output."""


def _head(response: Response, now: float) -> bytes:
    reason = BaseHTTPRequestHandler.responses.get(response.status, ("Unknown",))[0]
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if not any(name == "Date" for name, _ in response.headers):
        # As every web server does: by it clients know the clock that the records' dates are of.
        lines.append(f"Date: {email.utils.formatdate(now, usegmt=True)}")
    if response.status != 204:
        lines.append(f"Content-Length: {len(response.body)}")
    if response.must_close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
