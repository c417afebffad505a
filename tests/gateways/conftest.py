from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from sync_setup.gateways.identifiers import Sha256, Thumbprint
from tests.gateways.simulated import Simulator


@pytest.fixture(scope="session")
def running_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path_factory.mktemp("simulator"))
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Simulator]:
    """A simulator with a fresh world, no dials turned and an empty ledger."""
    running_simulator.reset()
    yield running_simulator
    running_simulator.undial()


@dataclass(frozen=True)
class Certificate:
    der: bytes
    not_before: dt.datetime
    not_after: dt.datetime
    pfx: bytes
    password: str

    @property
    def thumbprint(self) -> Thumbprint:
        return Thumbprint(hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper())

    @property
    def sha256(self) -> Sha256:
        return Sha256(hashlib.sha256(self.der).hexdigest().upper())


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """A self-signed certificate, as a customer may bring it."""
    key = rsa.generate_private_key(65537, 2048)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crm-s2s.contoso.example")])
    start, end = now - dt.timedelta(days=1), now + dt.timedelta(days=300)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    password = "transport-password-5"
    pfx = pkcs12.serialize_key_and_certificates(
        b"crm-s2s", key, made, None, BestAvailableEncryption(password.encode())
    )
    return Certificate(made.public_bytes(Encoding.DER), start, end, pfx, password)
