"""The certification authority of the simulated company: Contoso's root and issuing CA.

Kept as PEM files in a folder, so that a second start of the simulator issues from the same CAs and
everything signed before stays trusted. Nothing here is a secret worth keeping.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.pfx import AT_KEYEXCHANGE, WINDOWS_PROVIDER, CertificateBag, KeyBag, write_pfx

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

ROOT_NAME = "Contoso Root CA 1"
ISSUING_NAME = "Contoso Issuing CA 2"


@dataclass(frozen=True)
class Issued:
    """A certificate together with its private key.

    :ivar chain: the certificates above it, nearest first.
    """

    certificate: x509.Certificate
    private_key: SigningKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint_sha1(self) -> str:
        """40 upper-case hexadecimal digits, as Windows and Dynamics show it."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha256(self) -> str:
        """64 upper-case hexadecimal digits."""
        return hashlib.sha256(self.der).hexdigest().upper()

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """The certificate and everything above it, as a TLS server sends them."""
        return self.certificate_pem + b"".join(c.public_bytes(Encoding.PEM) for c in self.chain)

    @property
    def key_pem(self) -> bytes:
        """PKCS#8, not encrypted."""
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def to_pfx(
        self,
        password: str,
        *,
        friendly_name: str = "",
        provider: str = WINDOWS_PROVIDER,
        usage: int = AT_KEYEXCHANGE,
        with_chain: bool = True,
    ) -> bytes:
        """A PFX as a Windows CA hands it out: 3DES, SHA-1 MAC, chain inside.

        :param provider: provider attribute of the key, empty for none.
        :param usage: key usage attribute; AT_KEYEXCHANGE is what an import turns into KeySpec 1.
        """
        return write_pfx(
            [KeyBag(self.private_key, self._local_id, provider, usage)],
            [CertificateBag(self.der, self._local_id, friendly_name), *self._above(with_chain)],
            password,
        )

    def _above(self, with_chain: bool) -> list[CertificateBag]:
        chain = self.chain if with_chain else ()
        return [CertificateBag(above.public_bytes(Encoding.DER)) for above in chain]

    @property
    def _local_id(self) -> bytes:
        return bytes.fromhex(self.thumbprint_sha1)


class Pki:
    """Contoso's two CAs."""

    def __init__(self, root: Issued, issuing: Issued) -> None:
        self.root = root
        self.issuing = issuing

    @classmethod
    def load_or_create(cls, folder: Path, *, now: dt.datetime | None = None) -> Pki:
        """The CAs kept in ``folder``, made there on first use (valid 20 and 10 years)."""
        folder.mkdir(parents=True, exist_ok=True)
        root_file, issuing_file = folder / "root-ca.pem", folder / "issuing-ca.pem"
        if root_file.exists() and issuing_file.exists():
            root = _read(root_file)
            return cls(root, _read(issuing_file, root.certificate))
        start = (now or dt.datetime.now(dt.UTC)) - dt.timedelta(days=400)
        root = _new_authority(ROOT_NAME, start, 20, None)
        issuing = _new_authority(ISSUING_NAME, start, 10, root)
        for file, authority in ((root_file, root), (issuing_file, issuing)):
            _write(file, authority.key_pem + authority.certificate_pem)
        return cls(root, issuing)

    @property
    def bundle_pem(self) -> bytes:
        """What a client must trust: the root."""
        return self.root.certificate_pem

    def issue(
        self,
        common_name: str,
        not_before: dt.datetime,
        not_after: dt.datetime,
        *,
        key_bits: int = 2048,
        key: SigningKey | None = None,
        dns_names: Sequence[str] = (),
        addresses: Sequence[str] = (),
        self_signed: bool = False,
    ) -> Issued:
        """A leaf certificate for servers and clients.

        :param key: an existing key, also of another kind than RSA; else a new RSA key of
            ``key_bits``.
        :param addresses: IP addresses among the alternative names.
        :param self_signed: sign with its own key instead of the issuing CA's.
        """
        private_key = key or rsa.generate_private_key(65537, key_bits)
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
        names += [x509.IPAddress(_address(text)) for text in addresses]
        builder = _builder(common_name, private_key, not_before, not_after)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        builder = builder.add_extension(_usage(digital_signature=True), True)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            False,
        )
        if self_signed:
            builder = builder.issuer_name(_name(common_name))
            return Issued(_signed(builder, private_key), private_key)
        builder = _under(builder, self.issuing)
        certificate = _signed(builder, self.issuing.private_key)
        above = (self.issuing.certificate, self.root.certificate)
        return Issued(certificate, private_key, above)


def _new_authority(name: str, start: dt.datetime, years: int, parent: Issued | None) -> Issued:
    key = rsa.generate_private_key(65537, 2048)
    end = start + dt.timedelta(days=365 * years)
    builder = _builder(name, key, start, end, is_authority=True)
    builder = builder.add_extension(_usage(key_cert_sign=True), True)
    if parent is None:
        # A self-signed certificate needs no pointer to its issuer's key.
        return Issued(_signed(builder.issuer_name(_name(name)), key), key)
    builder = _under(builder, parent)
    return Issued(_signed(builder, parent.private_key), key, (parent.certificate,))


def _under(builder: x509.CertificateBuilder, issuer: Issued) -> x509.CertificateBuilder:
    pointer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private_key.public_key())
    named = builder.issuer_name(issuer.certificate.subject)
    return named.add_extension(pointer, False)


def _builder(
    common_name: str,
    key: SigningKey,
    not_before: dt.datetime,
    not_after: dt.datetime,
    *,
    is_authority: bool = False,
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
    )


def _signed(builder: x509.CertificateBuilder, key: SigningKey) -> x509.Certificate:
    # Ed25519 brings its own hash.
    return builder.sign(
        key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=digital_signature,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


def _read(file: Path, *above: x509.Certificate) -> Issued:
    pem = file.read_bytes()
    key = load_pem_private_key(pem, None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{file.name} holds no RSA key")
    return Issued(x509.load_pem_x509_certificate(pem), key, above)


def _write(file: Path, pem: bytes) -> None:
    """All or nothing, and readable by nobody else."""
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    draft.replace(file)
