"""How an outside system is reached, and which addresses never are."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from portal.errors import BadInput

# Instance metadata services outside the link-local ranges: Amazon's over IPv6, Azure's wire
# server, Alibaba's. They hand out credentials of the machine to whoever asks.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "168.63.129.16", "100.100.100.200")
)


@dataclass(frozen=True)
class Route:
    """How one outside system is reached.

    :ivar ca_file: PEM file of the authorities that are trusted for it; None: the public ones.
    :ivar proxy: URL of an outbound proxy; the environment's proxies are never used.
    :ivar simulated: it is a simulator, so it may be on this machine.
    :ivar connect_timeout_s: for the connection, and for TLS.
    :ivar read_timeout_s: longest silence while an answer is awaited or arrives.
    :ivar deadline_s: longest time for a whole request and its answer.
    :ivar max_bytes: longest answer, after decompression.
    """

    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a user and a password
    simulated: bool = False
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    deadline_s: float = 90.0
    max_bytes: int = 32 * 1024 * 1024


def refused_address(address: str, *, simulated: bool) -> str | None:
    """Say why an IP address must not be contacted; None if it may be.

    Private ranges are allowed: CRM stands in them.
    """
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_link_local or ip in _METADATA:
        return "a link-local or machine metadata address"
    if ip.is_multicast or ip.is_unspecified:
        return "not the address of one machine"
    if ip.is_loopback and not simulated:
        return "an address of the portal's own machine"
    return None


def check_url(url: str, *, simulated: bool, field: str = "url") -> str:
    """Accept the base URL of an outside system and give it without a slash at the end.

    The address behind a name is judged when it is connected to, where a name cannot change any more.

    :raises BadInput: not https, no host, a user, query or fragment in it, or a refused address.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _bad_url("This is not a web address.", field) from None
    if parts.scheme != "https":
        raise _bad_url("Only https addresses are used.", field)
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise _bad_url("The address must be a host and a path, and nothing else.", field)
    check_host(host, simulated=simulated, field=field)
    return url.strip().rstrip("/")


def check_host(host: str, *, simulated: bool, field: str = "host") -> str:
    """Accept a host name or IP address.

    :raises BadInput: it has characters that no host has, or is a refused address.
    """
    if not host or not all(letter.isalnum() or letter in "-._:" for letter in host):
        raise _bad_url("This is not the name of a host.", field)
    try:
        reason = refused_address(host, simulated=simulated)
    except ValueError:
        named_here = host.rstrip(".").lower() == "localhost" or host.lower().endswith(".localhost")
        reason = "the portal's own machine" if named_here and not simulated else None
    if reason:
        raise _bad_url(f"The address is {reason}.", field)
    return host


def _bad_url(message: str, field: str) -> BadInput:
    remedy = "Enter the https address of the system itself, such as https://crm.contoso.com/Sales."
    return BadInput(message, remedy=remedy, code="SSS-INPUT-ADDRESS", field=field)
