"""The dial ``twin_subject``: a second certificate with the same subject stands in the store."""

from __future__ import annotations

import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from simulator.crm_servers.stored_certificate import StoredCertificate
from simulator.deployment import Server


def add_twin(server: Server, certificate: StoredCertificate) -> None:
    """Put another live certificate with this one's subject into the store, unless one is there."""
    others = {c.thumbprint for c in server.found_by_subject(certificate.subject)}
    if not others - {certificate.thumbprint}:
        server.certificates.append(StoredCertificate.from_der(_twin(certificate.der())))


@lru_cache(maxsize=16)
def _twin(der: bytes) -> bytes:
    name = x509.load_der_x509_certificate(der).subject
    key = rsa.generate_private_key(65537, 2048)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=300))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
