"""How the portal proves itself to a CRM server's WinRM: Negotiate, Kerberos, or a client certificate."""

from __future__ import annotations

import importlib.util
import os
import ssl
from dataclasses import dataclass, field
from typing import Any, cast

import requests
from pypsrp.exceptions import AuthenticationError
from pypsrp.negotiate import HTTPNegotiateAuth
from spnego.exceptions import SpnegoError

from portal.errors import BadInput
from sync_setup.gateways.failures import Origin
from sync_setup.gateways.route import Route
from sync_setup.gateways.wire import BoundedSession, Departure

_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(frozen=True)
class PasswordSignIn:
    """An account of the domain, DOMAIN\\name or name@domain, bound to the TLS channel.

    :ivar kerberos: accept nothing but Kerberos; otherwise NTLM stands in where it is missing.
    """

    username: str
    password: str = field(repr=False)
    kerberos: bool = False


@dataclass(frozen=True)
class CertificateSignIn:
    """A client certificate that the server maps to one of its local accounts.

    :source: MS-WSMV 2.2.4.6 (CertMapping): only local accounts can be mapped.
    """

    certificate_pem: bytes
    private_key_pem: bytes = field(repr=False)


SignIn = PasswordSignIn | CertificateSignIn


class Negotiate(HTTPNegotiateAuth):
    """Negotiate whose every failure is the plain 401 that it is."""

    def response_hook(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        try:
            answered = super().response_hook(response, **kwargs)  # type: ignore[no-untyped-call]
            return cast("requests.Response", answered)
        except (AuthenticationError, SpnegoError, ValueError):
            # No scheme that both sides know, or a broken token: the challenge stands unanswered.
            return response


def build_session(
    origin: Origin, route: Route, departure: Departure, sign_in: SignIn
) -> BoundedSession:
    """Make the session on which WSMan travels.

    :raises BadInput: Kerberos is asked for and not installed, or the key does not fit.
    """
    if isinstance(sign_in, CertificateSignIn):
        session = BoundedSession(route, departure, client_context(sign_in))
        session.headers["Authorization"] = _MUTUAL
    else:
        session = BoundedSession(route, departure)
        session.auth = negotiate(origin, sign_in, service="WSMAN")
    # WinRM does not compress, and what is compressed is not checked against the channel.
    session.headers["Accept-Encoding"] = "identity"
    return session


def negotiate(origin: Origin, sign_in: PasswordSignIn, *, service: str) -> Negotiate:
    """Sign in with Negotiate, bound to the TLS channel, so that it cannot be relayed.

    :param service: first part of the service principal name: WSMAN or HTTP.
    :raises BadInput: Kerberos is asked for and not installed.
    """
    if sign_in.kerberos and importlib.util.find_spec("gssapi") is None:
        raise BadInput(
            f"Kerberos is chosen for {origin.system} and not installed here.",
            remedy="Install requirements-kerberos.txt on the workers, or choose Negotiate.",
            code=origin.code("NO-KERBEROS"),
            field="kerberos",
        )
    return Negotiate(
        username=sign_in.username,
        password=sign_in.password,
        auth_provider="kerberos" if sign_in.kerberos else "negotiate",
        service=service,
    )


def client_context(sign_in: CertificateSignIn) -> ssl.SSLContext:
    """TLS settings with a client certificate; its key never lies in a folder.

    :raises BadInput: the certificate or key cannot be read, or they do not fit.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # OpenSSL reads keys from files only; this one has no name and ends with the block.
    with os.fdopen(os.memfd_create("client"), "wb") as memory:
        memory.write(sign_in.private_key_pem.rstrip() + b"\n" + sign_in.certificate_pem)
        memory.flush()
        try:
            context.load_cert_chain(f"/proc/self/fd/{memory.fileno()}", password=lambda: b"")
        except (ssl.SSLError, OSError, ValueError):
            raise BadInput(
                "The client certificate for the CRM servers cannot be used.",
                remedy="Give the certificate and its private key, both as PEM, the key without a"
                " password.",
                code="SSS-INPUT-CLIENT-CERTIFICATE",
                field="private_key_pem",
            ) from None
    return context
