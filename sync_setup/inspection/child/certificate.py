"""What a certificate says about itself, each thing asked for itself.

A certificate that loads can still raise, and not only ValueError, when its subject, extensions, hash
or key are asked for; so every question has its own answer for "cannot be read".
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from sync_setup.inspection.child.wording import is_dangerous, shown

Answer = TypeVar("Answer")

_MD5 = {"1.2.840.113549.1.1.4", "1.3.14.3.2.3", "1.3.14.3.2.25"}
_SHA1 = {"1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.3.14.3.2.15"}
_STRONG = {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"}
_NAME_ATTRIBUTES = {NameOID.EMAIL_ADDRESS: "E"}
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "Server Authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH: "Client Authentication",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "Any Purpose",
    ExtendedKeyUsageOID.CODE_SIGNING: "Code Signing",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "Secure Email",
    ExtendedKeyUsageOID.TIME_STAMPING: "Time Stamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP Signing",
    ExtendedKeyUsageOID.SMARTCARD_LOGON: "Smart Card Logon",
}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


class PublicKey(NamedTuple):
    """What the inspector wants to know of a key.

    :ivar kind: RSA, EC, DSA, Ed25519, Ed448, or "unknown".
    :ivar exponent: of RSA; 0 for other kinds.
    :ivar info: SubjectPublicKeyInfo, to compare keys by; empty where it cannot be written.
    """

    kind: str
    bits: int
    exponent: int
    info: bytes


class Name(NamedTuple):
    """A distinguished name as far as it can be read.

    :ivar text: RFC 4514, made safe to show; empty where it is damaged.
    """

    text: str
    is_damaged: bool
    is_dangerous: bool


class Facts(NamedTuple):
    """A certificate as the inspector sees it; empty values where it could not be read.

    :ivar weakness: ``md5``, ``sha1``, ``unknown``, or empty for a good signature.
    :ivar key_usage, eku: None where the certificate does not limit its use.
    """

    der: bytes
    sha1: str
    sha256: str
    subject: Name
    issuer: Name
    serial: str
    has_positive_serial: bool
    not_before: dt.datetime | None
    not_after: dt.datetime | None
    key: PublicKey
    signature: str
    weakness: str
    san: list[str]
    key_usage: list[str] | None
    eku: list[str] | None
    has_readable_extensions: bool
    is_self_signed: bool


def read_certificate(der: bytes) -> Facts:
    """The facts of this certificate.

    :raises ValueError: not a certificate.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
    except Exception as error:
        # Besides ValueError there are InvalidVersion and others, none of them a subclass of it.
        raise ValueError("not a certificate") from error
    subject, issuer = _name(lambda: certificate.subject), _name(lambda: certificate.issuer)
    serial = _asked(lambda: certificate.serial_number, 0)
    usage = _extension(certificate, ExtensionOID.KEY_USAGE, x509.KeyUsage)
    purposes = _extension(certificate, ExtensionOID.EXTENDED_KEY_USAGE, x509.ExtendedKeyUsage)
    oid = _asked(lambda: certificate.signature_algorithm_oid.dotted_string, "")
    return Facts(
        der=der,
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        sha256=hashlib.sha256(der).hexdigest().upper(),
        subject=subject,
        issuer=issuer,
        serial=_serial_text(serial),
        has_positive_serial=serial > 0,
        not_before=_asked(lambda: certificate.not_valid_before_utc, None),
        not_after=_asked(lambda: certificate.not_valid_after_utc, None),
        key=_asked(lambda: describe_key(certificate.public_key()), UNKNOWN_KEY),
        signature=_asked(lambda: shown(certificate.signature_algorithm_oid._name), oid),
        weakness=_weakness(certificate, oid),
        san=_asked(lambda: _alternative_names(certificate), []),
        key_usage=_usages(usage) if usage else None,
        eku=[_PURPOSES.get(p, p.dotted_string) for p in purposes] if purposes else None,
        has_readable_extensions=_asked(lambda: certificate.extensions is not None, False),
        is_self_signed=_asked(lambda: certificate.subject == certificate.issuer, False),
    )


UNKNOWN_KEY = PublicKey("unknown", 0, 0, b"")


def describe_key(key: object) -> PublicKey:
    """Kind, size and encoding of a public key of ``cryptography``."""
    kind, exponent = "unknown", 0
    if isinstance(key, rsa.RSAPublicKey):
        kind, exponent = "RSA", key.public_numbers().e
    elif isinstance(key, ec.EllipticCurvePublicKey):
        kind = "EC"
    elif isinstance(key, dsa.DSAPublicKey):
        kind = "DSA"
    elif isinstance(key, ed25519.Ed25519PublicKey):
        kind = "Ed25519"
    elif isinstance(key, ed448.Ed448PublicKey):
        kind = "Ed448"
    sizes = {"Ed25519": 256, "Ed448": 456}
    bits = sizes.get(kind) or int(getattr(key, "key_size", 0))
    write: Callable[..., bytes] | None = getattr(key, "public_bytes", None)
    info = write(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) if write else b""
    return PublicKey(kind, bits, exponent, info)


def _asked(question: Callable[[], Answer], unreadable: Answer) -> Answer:
    try:
        return question()
    except Exception:
        return unreadable


def _name(question: Callable[[], x509.Name]) -> Name:
    try:
        name = question()
        values = [str(attribute.value) for attribute in name]
        text = name.rfc4514_string(_NAME_ATTRIBUTES)
    except Exception:
        return Name("", True, False)
    return Name(shown(text), False, any(map(is_dangerous, values)))


def _serial_text(serial: int) -> str:
    """As Windows shows it: whole bytes in hexadecimal."""
    digits = f"{abs(serial):X}"
    return ("-" if serial < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _weakness(certificate: x509.Certificate, oid: str) -> str:
    if oid in _MD5:
        return "md5"
    if oid in _SHA1:
        return "sha1"
    try:
        algorithm = certificate.signature_hash_algorithm
    except Exception:
        return "unknown"
    if algorithm is None:
        # Ed25519 and Ed448 hash on their own, and well.
        return ""
    name = algorithm.name
    return "" if name in _STRONG else name if name in ("md5", "sha1") else "unknown"


Extension = TypeVar("Extension", bound=x509.ExtensionType)


def _extension(
    certificate: x509.Certificate, oid: x509.ObjectIdentifier, kind: type[Extension]
) -> Extension | None:
    try:
        value = certificate.extensions.get_extension_for_oid(oid).value
    except Exception:
        return None
    return value if isinstance(value, kind) else None


def _usages(usage: x509.KeyUsage) -> list[str]:
    return [name for name in _USAGES if getattr(usage, name)]


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    oid = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
    names = _extension(certificate, oid, x509.SubjectAlternativeName)
    kinds = {"DNSName": "DNS", "IPAddress": "IP", "RFC822Name": "email"}
    texts = []
    for name in list(names or [])[:100]:
        kind = kinds.get(type(name).__name__, type(name).__name__)
        value = name.value
        text = value.rfc4514_string() if isinstance(value, x509.Name) else str(value)
        texts.append(shown(f"{kind}:{text}"))
    return texts
