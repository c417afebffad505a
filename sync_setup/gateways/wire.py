"""The connections under requests: judge the address that was really reached, and note what left."""

from __future__ import annotations

import logging
import ssl
import time
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from sync_setup.gateways.route import Route, refused_address

# Their debug lines hold request bodies, addresses with queries, even passwords; whatever level an
# operator chooses for the portal's own log, these stay silent, and errors travel as exceptions.
for _library in ("urllib3", "requests", "msal", "pypsrp", "psrpcore", "spnego", "requests_ntlm"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)


_CHUNK = 64 * 1024


class OutOfTime(Exception):
    """The whole exchange took longer than it may."""


class TooLong(Exception):
    """The answer is longer than it may be."""


@dataclass
class Departure:
    """What is certain of the request under way.

    :ivar sent: something of it may have reached the other side.
    :ivar forbidden: why its address was refused, before anything was sent.
    """

    sent: bool = False
    forbidden: str = ""

    def begin(self) -> None:
        """A new request: nothing of it has left."""
        self.sent, self.forbidden = False, ""


class GuardedAdapter(HTTPAdapter):
    """https only, no retries, no address that `refused_address` refuses.

    A name is judged by the address it led to, on the connection itself: a second answer of the name
    server cannot get past it. Behind a proxy the proxy's own address is the administrator's choice.

    :param client: TLS settings with a client certificate, if there is one.
    """

    def __init__(
        self, route: Route, departure: Departure, client: ssl.SSLContext | None = None
    ) -> None:
        self._client = client
        self._pool = _guarded_pool(route, departure)
        super().__init__(max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        if self._client is not None:
            pool_kwargs["ssl_context"] = self._client
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = manager.pool_classes_by_scheme | {"https": self._pool}
        return manager


class BoundedSession(requests.Session):
    """A session of requests that reads whole answers within a deadline, and uses nothing of the
    environment: no proxy, netrc or CA variable; no cookie, no redirect.

    :ivar ends_at: when the exchange under way must be over, by the monotonic clock.
    """

    def __init__(
        self, route: Route, departure: Departure, client: ssl.SSLContext | None = None
    ) -> None:
        super().__init__()
        self.trust_env = False  # REQUESTS_CA_BUNDLE and the proxy variables would win silently
        self.verify = route.ca_file or True
        self.headers["User-Agent"] = "SSS-Portal"
        self.proxies = {"https": route.proxy} if route.proxy else {}
        self.adapters.clear()
        self.mount("https://", GuardedAdapter(route, departure, client))
        self.ends_at = 0.0
        self._max_bytes = route.max_bytes

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send and read.

        :raises OutOfTime: the deadline passed.
        :raises TooLong: the answer is longer than the route allows, after decompression.
        """
        response = super().send(request, **kwargs | {"stream": True, "allow_redirects": False})
        self.cookies.clear()
        with response:
            # What requests itself would do, in one go and without an end.
            response._content = self._read(response)
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _read(self, response: requests.Response) -> bytes:
        """Read as much as there is at a time: a body that dribbles must not outlive the deadline."""
        parts: list[bytes] = []
        size = 0
        while True:
            if time.monotonic() > self.ends_at:
                raise OutOfTime
            part = response.raw.read1(_CHUNK, decode_content=True)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > self._max_bytes:
                raise TooLong


def _guarded_pool(route: Route, departure: Departure) -> type[HTTPSConnectionPool]:
    class Connection(HTTPSConnection):
        def _new_conn(self) -> Any:
            sock = super()._new_conn()
            if self.proxy is None:
                reason = refused_address(sock.getpeername()[0], simulated=route.simulated)
                if reason:
                    sock.close()
                    departure.forbidden = reason
                    raise NewConnectionError(self, reason)
            return sock

        def request(self, *args: Any, **kwargs: Any) -> None:
            # urllib3 connects and shakes hands before it gets here.
            departure.sent = True
            super().request(*args, **kwargs)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool
