"""Make the certificate files that the tests ask for, also those that no decent tool makes."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from simulator.pfx import CertificateBag, KeyBag, write_pfx
from simulator.pki import Issued
from tests.inspection.conftest import AT

PASSWORD = "pässword €"
DER = Encoding.DER


def pfx_of(issued: Issued, password: str = PASSWORD) -> bytes:
    """A PFX without attributes: key, certificate and chain."""
    return issued.to_pfx(password, provider="", usage=0)


def with_cryptography(
    issued: Issued, password: str = PASSWORD, how: KeySerializationEncryption | None = None
) -> bytes:
    """As ``cryptography`` writes it: PBES2 with AES-256 unless told otherwise."""
    assert isinstance(issued.private_key, rsa.RSAPrivateKey)
    encryption = how or BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(
        None, issued.private_key, issued.certificate, issued.chain, encryption
    )


def with_openssl(folder: Path, issued: Issued, *options: str, password: str = PASSWORD) -> bytes:
    """As ``openssl pkcs12 -export`` writes it, with these options."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl here")
    for name, content in (
        ("key.pem", issued.key_pem),
        ("leaf.pem", issued.certificate_pem),
        ("chain.pem", issued.chain_pem),
    ):
        (folder / name).write_bytes(content)
    command = [openssl, "pkcs12", "-export", "-inkey", "key.pem", "-in", "leaf.pem"]
    command += ["-certfile", "chain.pem", "-out", "out.pfx", "-passout", "stdin", *options]
    subprocess.run(command, cwd=folder, input=f"{password}\n".encode(), check=True)
    return (folder / "out.pfx").read_bytes()


def self_made(
    common_name: str = "crm-s2s.contoso.example",
    *,
    days: tuple[int, int] = (-20, 345),
    key: rsa.RSAPrivateKey | None = None,
    usage: x509.KeyUsage | None = None,
    purposes: list[x509.ObjectIdentifier] | None = None,
    issuer: Issued | None = None,
) -> Issued:
    """A certificate with exactly these properties; validity in days around the fixed instant."""
    private_key = key or rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT + dt.timedelta(days=days[0]))
        .not_valid_after(AT + dt.timedelta(days=days[1]))
    )
    if usage:
        builder = builder.add_extension(usage, True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
    signer = issuer.private_key if issuer else private_key
    assert isinstance(signer, rsa.RSAPrivateKey)
    return Issued(builder.sign(signer, hashes.SHA256()), private_key)


def only_encipherment() -> x509.KeyUsage:
    """A key usage that leaves digital signature out."""
    return x509.KeyUsage(False, False, True, False, False, False, False, False, False)


def mac_claims(pfx: bytes, iterations: int) -> bytes:
    """The file with another iteration count in its MAC, which no longer fits."""
    parsed = asn1_pkcs12.Pfx.load(pfx)
    parsed["mac_data"]["iterations"] = iterations
    changed: bytes = parsed.dump(force=True)
    return changed


def nested_claim(issued: Issued, iterations: int) -> bytes:
    """A bomb behind a door: the count stands inside the encrypted part."""
    key = KeyBag(issued.private_key, claimed_iterations=iterations)
    return write_pfx([key], [CertificateBag(issued.der)], PASSWORD, hide_keys=True)


def mismatched(issued: Issued, other: Issued) -> bytes:
    """The key of one, the certificate of the other, marked as belonging together."""
    return write_pfx(
        [KeyBag(other.private_key, b"\1" * 20)], [CertificateBag(issued.der, b"\1" * 20)], PASSWORD
    )


def several_keys(pair: tuple[Issued, Issued], *, hidden: bool = False) -> bytes:
    """Two keys with their certificates; ``hidden`` puts the keys into the encrypted part."""
    ids = [bytes.fromhex(issued.thumbprint_sha1) for issued in pair]
    return write_pfx(
        [KeyBag(issued.private_key, ids[n]) for n, issued in enumerate(pair)],
        [CertificateBag(issued.der, ids[n]) for n, issued in enumerate(pair)],
        PASSWORD,
        hide_keys=hidden,
    )


def damaged_subject(issued: Issued) -> bytes:
    """The certificate (DER) with its common name turned into a bit string, which names cannot be."""
    common_name = issued.certificate.subject.rfc4514_string().removeprefix("CN=").encode()
    text = bytes([0x0C, len(common_name)]) + common_name
    bits = bytes([0x03, len(common_name), 0]) + common_name[1:]
    assert issued.der.count(text) == 1
    return issued.der.replace(text, bits)


def pfx_around(der: bytes, issued: Issued) -> bytes:
    """A PFX with these certificate bytes and the key of ``issued``."""
    bag = KeyBag(issued.private_key, b"\1", provider="", usage=0)
    return write_pfx([bag], [CertificateBag(der, b"\1")], PASSWORD)


def as_ber(der: bytes, piece: int = 100) -> bytes:
    """The same value in BER as some tools write it: lengths left open, strings in pieces."""
    tag, start, end = der[0], *_bounds(der)
    content = der[start:end]
    if tag == 0x04:
        pieces = [content[n : n + piece] for n in range(0, len(content), piece)]
        return b"\x24\x80" + b"".join(_tlv(0x04, each) for each in pieces) + b"\0\0"
    if not tag & 0x20:
        return der[:end]
    inside = b""
    while content:
        size = _bounds(content)[1]
        inside += as_ber(content[:size], piece)
        content = content[size:]
    return bytes([tag, 0x80]) + inside + b"\0\0"


def with_pbmac1(
    pfx: bytes, *, prf: int = 9, iterations: int = 2048, key_bytes: int | None = 32
) -> bytes:
    """The file with a MAC after RFC 9579 instead of its own.

    :param prf: last arc of the HMAC identifier: 9 for SHA-256, 11 for SHA-512.
    :param key_bytes: None leaves the length out, which the RFC forbids.
    """
    name = {9: "sha256", 11: "sha512"}[prf]
    salt = os.urandom(16)
    protected: bytes = asn1_pkcs12.Pfx.load(pfx)["auth_safe"]["content"].native
    key = hashlib.pbkdf2_hmac(name, PASSWORD.encode(), salt, iterations, key_bytes or 32)
    digest = hmac.digest(key, protected, name)
    hash_identifier = _sequence(bytes.fromhex("06082a864886f70d02") + bytes([prf]), b"\5\0")
    parameters = _tlv(0x04, salt) + _integer(iterations)
    parameters += _integer(key_bytes) if key_bytes else b""
    derivation = _sequence(
        bytes.fromhex("06092a864886f70d01050c"), _sequence(parameters, hash_identifier)
    )
    pbmac1 = _sequence(
        bytes.fromhex("06092a864886f70d01050e"), _sequence(derivation, hash_identifier)
    )
    mac_data = _sequence(
        _sequence(pbmac1, _tlv(0x04, digest)), _tlv(0x04, b"NOT USED"), _integer(1)
    )
    auth_safe: bytes = asn1_pkcs12.Pfx.load(pfx)["auth_safe"].dump()
    return _sequence(_integer(3), auth_safe, mac_data)


def without_protection(issued: Issued) -> bytes:
    """Key and certificate in the open, no MAC: as ``openssl -nomac -keypbe NONE -certpbe NONE``."""
    pkcs8 = issued.private_key.private_bytes(DER, PrivateFormat.PKCS8, NoEncryption())
    key = _bag(1, pkcs8)
    certificate = _bag(3, _sequence(_X509_CERTIFICATE, _tlv(0xA0, _tlv(0x04, issued.der))))
    authenticated = _sequence(*(_data(_sequence(bag)) for bag in (certificate, key)))
    return _sequence(_integer(3), _data(authenticated))


def signed_as(issued: Issued, arc: int) -> bytes:
    """The certificate (DER) claiming another signature: PKCS#1 with 2 for MD2, 4 MD5, 5 SHA-1."""
    sha256 = bytes.fromhex("06092a864886f70d01010b")
    return issued.der.replace(sha256, sha256[:-1] + bytes([arc]))


_DATA = bytes.fromhex("06092a864886f70d010701")
_X509_CERTIFICATE = bytes.fromhex("060a2a864886f70d01091601")


def _data(content: bytes) -> bytes:
    return _sequence(_DATA, _tlv(0xA0, _tlv(0x04, content)))


def _bag(kind: int, value: bytes) -> bytes:
    identifier = bytes.fromhex("060b2a864886f70d010c0a01") + bytes([kind])
    return _sequence(identifier, _tlv(0xA0, value))


def _bounds(der: bytes) -> tuple[int, int]:
    size = der[1]
    if size < 0x80:
        return 2, 2 + size
    start = 2 + (size & 0x7F)
    return start, start + int.from_bytes(der[2:start], "big")


def _tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _sequence(*members: bytes) -> bytes:
    return _tlv(0x30, b"".join(members))


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))
