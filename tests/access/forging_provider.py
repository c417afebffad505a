"""An OpenID Connect provider on loopback that issues what the test tells it to: right, wrong or garbage.

The simulated Entra ID never errs; this one errs in every way that a token endpoint can.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TENANT = "11111111-2222-3333-4444-555555555555"


class ForgingProvider:
    """Discovery and token endpoint over TLS.

    :ivar claims: added to the identity token; None takes a claim away.
    :ivar body: when set, the token endpoint's whole answer instead of a token.
    :ivar status: of the token endpoint's answer.
    """

    client_id = "0f6a2c1b-0000-0000-0000-93d7e8a60f11"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.ca = folder / "ca.pem"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_self_signed(self.ca, folder / "key.pem"), folder / "key.pem")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.reset()

    @property
    def authority(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}/{TENANT}"

    @property
    def issuer(self) -> str:
        return f"{self.authority}/v2.0"

    def reset(self) -> None:
        """Tell the truth again."""
        self.claims: dict[str, Any] = {}
        self.body: bytes | None = None
        self.status = 200
        self.nonce = ""

    def come_back(self, address: str, **query: str) -> str:
        """Do what the sign-in page does: remember the nonce, and give the address of the callback."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce = asked["nonce"]
        answer = {"code": "a-code", "state": asked["state"]} | query
        pairs = "&".join(f"{name}={value}" for name, value in answer.items())
        return f"{asked['redirect_uri']}?{pairs}"

    def token_answer(self) -> bytes:
        """Give the token endpoint's answer."""
        if self.body is not None:
            return self.body
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "tid": TENANT,
            "sub": "subject-1",
            "oid": "object-1",
            "name": "Forged Person",
            "preferred_username": "forged@contoso.example",
            "roles": ["Sss.Viewer"],
            "iat": now,
            "exp": now + 3600,
            "nonce": self.nonce,
        }
        kept = {name: value for name, value in (claims | self.claims).items() if value is not None}
        token = ".".join((_part({"alg": "RS256", "typ": "JWT"}), _part(kept), "c2lnbmF0dXJl"))
        told = {"token_type": "Bearer", "expires_in": 3600, "access_token": "at", "id_token": token}
        return json.dumps(told).encode()

    def discovery(self) -> bytes:
        base = self.authority
        return json.dumps(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        ).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(provider: ForgingProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, provider.discovery())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(provider.status, provider.token_answer())

        def log_message(self, *_: object) -> None:
            """Say nothing: the test's output is the test's."""

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _self_signed(certificate_file: Path, key_file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "forging provider")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = (
        builder.not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file
