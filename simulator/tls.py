"""Certificates with which the simulated systems and their callers prove themselves, kept on disk."""

from __future__ import annotations

import datetime
import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from simulator.pki import Issued, Pki


@dataclass(frozen=True)
class Kept:
    """A certificate and its key in two PEM files."""

    issued: Issued
    certificate_path: Path
    key_path: Path

    def server_context(self) -> ssl.SSLContext:
        """The server side of TLS with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate_path, self.key_path)
        return context

    @property
    def digest(self) -> bytes:
        """SHA-256 of the certificate, which channel binding is made of."""
        return hashlib.sha256(self.issued.der).digest()


def load_or_issue(
    folder: Path, name: str, common_name: str, pki: Pki, *, dns_names: list[str], rsa_key: bool
) -> Kept:
    """The certificate of this name in a folder, issued for ten years on first use.

    :param rsa_key: an RSA key, for certificates that sign tokens; else the quicker elliptic curve.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chain, key_file = folder / f"{name}.pem", folder / f"{name}-key.pem"
    if not (chain.exists() and key_file.exists()):
        now = datetime.datetime.now(datetime.UTC)
        issued = pki.issue(
            common_name,
            now - datetime.timedelta(days=1),
            now + datetime.timedelta(days=3650),
            key=None if rsa_key else ec.generate_private_key(ec.SECP256R1()),
            dns_names=dns_names,
            addresses=["127.0.0.1"] if "localhost" in dns_names else [],
        )
        key_file.touch(mode=0o600)
        key_file.write_bytes(issued.key_pem)
        chain.write_bytes(issued.chain_pem)
        return Kept(issued, chain, key_file)
    certificates = x509.load_pem_x509_certificates(chain.read_bytes())
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError(f"{key_file.name} holds no usable key")
    return Kept(Issued(certificates[0], key, tuple(certificates[1:])), chain, key_file)
