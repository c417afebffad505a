"""Sample PFX files to try the portal with: one good, the others each wrong in one way."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from simulator.pfx import CertificateBag, KeyBag, write_pfx
from simulator.pki import Issued, Pki

PASSWORD = "Sample-2026!"  # noqa: S105 - protects sample files alone and is printed on purpose


@dataclass(frozen=True)
class Sample:
    """One file on disk.

    :ivar verdict: what an inspection says of it: accept, warn or reject.
    """

    title: str
    path: Path
    password: str
    verdict: str


def write_samples(folder: Path, pki: Pki, now: dt.datetime) -> list[Sample]:
    """Write the sample files into ``folder``; what is already there stays as it is.

    :param now: an aware instant; validity is counted from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    year = now.year
    makers = (
        (f"Good certificate for {year}", f"crm-s2s-{year}.pfx", "accept", _good),
        ("Expired certificate", "expired.pfx", "reject", _expired),
        ("Elliptic curve key", "elliptic-curve.pfx", "reject", _elliptic),
        ("Two private keys", "two-keys.pfx", "reject", _two_keys),
        ("Self-signed certificate", "self-signed.pfx", "warn", _self_signed),
    )
    samples = []
    for title, name, verdict, make in makers:
        path = folder / name
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.write_bytes(make(pki, now))
            draft.replace(path)
        samples.append(Sample(title, path, PASSWORD, verdict))
    return samples


def good_certificate(pki: Pki, now: dt.datetime) -> Issued:
    """A certificate fit to be the token issuer: RSA 2048, SHA-256, 345 days left."""
    name = f"crm-s2s-{now.year}.contoso.example"
    start = now - dt.timedelta(days=20)
    return pki.issue(name, start, now + dt.timedelta(days=345), dns_names=[name])


def _good(pki: Pki, now: dt.datetime) -> bytes:
    return good_certificate(pki, now).to_pfx(PASSWORD, friendly_name="CRM server to server")


def _expired(pki: Pki, now: dt.datetime) -> bytes:
    name = f"crm-s2s-{now.year - 1}.contoso.example"
    end = now - dt.timedelta(days=12)
    return pki.issue(name, end - dt.timedelta(days=365), end).to_pfx(PASSWORD)


def _elliptic(pki: Pki, now: dt.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    end = now + dt.timedelta(days=345)
    issued = pki.issue("crm-s2s-ec.contoso.example", now - dt.timedelta(days=20), end, key=key)
    return issued.to_pfx(PASSWORD, provider="", usage=0)


def _two_keys(pki: Pki, now: dt.datetime) -> bytes:
    start, end = now - dt.timedelta(days=20), now + dt.timedelta(days=345)
    pair = [pki.issue(f"crm-s2s-{one}.contoso.example", start, end) for one in ("a", "b")]
    ids = [bytes.fromhex(issued.thumbprint_sha1) for issued in pair]
    return write_pfx(
        [KeyBag(issued.private_key, ids[n]) for n, issued in enumerate(pair)],
        [CertificateBag(issued.der, ids[n]) for n, issued in enumerate(pair)],
        PASSWORD,
    )


def _self_signed(pki: Pki, now: dt.datetime) -> bytes:
    name = f"crm-s2s-{now.year}.lab.contoso.example"
    end = now + dt.timedelta(days=345)
    return pki.issue(name, now - dt.timedelta(days=20), end, self_signed=True).to_pfx(PASSWORD)
