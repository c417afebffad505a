"""Whether a certificate's chain ends at an authority that the servers trust."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from simulator.crm_servers.stored_certificate import StoredCertificate


def chain_status(certificate: StoredCertificate, trusted_issuers: Sequence[str]) -> list[str]:
    """What .NET's X509Chain would complain of, without revocation; empty means the chain is good.

    :param trusted_issuers: authorities as base64 DER.
    """
    leaf = x509.load_der_x509_certificate(certificate.der())
    complaints = []
    now = datetime.datetime.now(datetime.UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        complaints.append("NotTimeValid")
    broken = _broken(certificate.raw_base64, tuple(trusted_issuers))
    return complaints + ([broken] if broken else [])


@lru_cache(maxsize=256)
def _broken(raw_base64: str, trusted_issuers: tuple[str, ...]) -> str:
    """The flag of a chain that does not reach a trusted root; '' where it does."""
    authorities = [
        x509.load_der_x509_certificate(base64.b64decode(authority)) for authority in trusted_issuers
    ]
    current = x509.load_der_x509_certificate(base64.b64decode(raw_base64))
    if current in authorities:
        return ""
    if current.issuer == current.subject:
        return "UntrustedRoot"
    if any(_is_issued_by(current, authority) for authority in authorities):
        return ""
    return "PartialChain"


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
