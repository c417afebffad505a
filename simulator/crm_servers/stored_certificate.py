"""A certificate as a Windows store holds it, and who may read its private key."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.ledger import instant

CSP = "Microsoft Enhanced RSA and AES Cryptographic Provider"
CNG = "Microsoft Software Key Storage Provider"


@dataclass
class KeyReader:
    """One entry of the access list of a private key file; rights: Read, FullControl or Other."""

    account: str
    sid: str
    rights: str = "Read"
    added_by_portal: bool = False


@dataclass
class StoredCertificate:
    """A certificate in LocalMachine\\My, with the facts of its key.

    ``key_storage`` is Csp, Cng, None or Unreadable; ``key_spec`` 1 = AT_KEYEXCHANGE,
    2 = AT_SIGNATURE, 0 = CNG. ``exportable`` is None where it cannot be read.
    """

    thumbprint: str
    sha256: str
    subject: str
    issuer: str
    serial_number: str
    not_before: str
    not_after: str
    raw_base64: str
    has_private_key: bool = True
    key_algorithm: str = "RSA"
    key_bits: int = 2048
    key_storage: str = "Csp"
    provider_name: str = CSP
    provider_type: int = 24
    key_spec: int = 1
    exportable: bool | None = False
    key_readers: list[KeyReader] = field(default_factory=list)
    iis_bindings: list[str] = field(default_factory=list)
    archived: bool = False
    installed_by_portal: bool = False

    @classmethod
    def from_der(cls, der: bytes) -> StoredCertificate:
        """The certificate as the store shows it, its key imported into the default provider."""
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        return cls(
            thumbprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
            sha256=hashlib.sha256(der).hexdigest().upper(),
            subject=windows_name(certificate.subject),
            issuer=windows_name(certificate.issuer),
            serial_number=_serial(certificate.serial_number),
            not_before=instant(certificate.not_valid_before_utc),
            not_after=instant(certificate.not_valid_after_utc),
            raw_base64=base64.b64encode(der).decode(),
            key_algorithm="RSA" if isinstance(key, rsa.RSAPublicKey) else "Other",
            key_bits=getattr(key, "key_size", 0),
        )

    def der(self) -> bytes:
        return base64.b64decode(self.raw_base64)

    def is_read_by(self, account: str) -> bool:
        """Whether this account has a reading entry of its own on the key file."""
        wanted = account.casefold()
        rights = ("Read", "FullControl")
        return any(r.account.casefold() == wanted and r.rights in rights for r in self.key_readers)


def windows_name(name: x509.Name) -> str:
    """A distinguished name as Windows writes it: most specific part first, comma and space."""
    return ", ".join(part.rfc4514_string() for part in reversed(name.rdns))


def _serial(number: int) -> str:
    return number.to_bytes((number.bit_length() + 7) // 8).hex().upper()
