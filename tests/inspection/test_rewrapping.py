"""What goes to a CRM server: the one key, packed so that Windows imports it with KeySpec 1."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from portal.errors import BadInput
from simulator.pfx import CertificateBag, KeyBag, write_pfx
from simulator.pki import Issued, Pki
from sync_setup.inspection.codes import WINDOWS_PROVIDER
from sync_setup.inspection.inspector import inspect_pfx
from sync_setup.inspection.rewrapping import rewrap
from tests.inspection import making
from tests.inspection.conftest import AT
from tests.inspection.making import PASSWORD


def test_whatever_the_file_was_like_windows_gets_what_it_needs(good: Issued) -> None:
    for pfx in (making.with_cryptography(good), making.as_ber(making.pfx_of(good))):
        packed, transport_password = rewrap(pfx, PASSWORD)

        report = inspect_pfx(packed, transport_password, at=AT)
        assert (report.verdict, report.codes) == ("accept", (f"csp:{WINDOWS_PROVIDER}",))
        assert (report.csp, report.key_spec) == (WINDOWS_PROVIDER, 1)
        assert report.thumbprint_sha1 == good.thumbprint_sha1
        assert report.container.algorithms == ("PBE-SHA1-3DES",)
        assert report.container.mac == "HMAC-SHA1"


def test_another_library_finds_key_and_chain_in_it(good: Issued) -> None:
    packed, transport_password = rewrap(making.pfx_of(good), PASSWORD)

    key, certificate, chain = pkcs12.load_key_and_certificates(packed, transport_password.encode())

    assert certificate == good.certificate
    assert chain == list(good.chain)
    assert key is not None
    assert key.public_key() == good.private_key.public_key()


def test_openssl_sees_the_attributes_that_its_own_options_write(
    tmp_path: Path, good: Issued
) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl here")
    theirs = making.with_openssl(tmp_path, good, "-keyex", "-CSP", WINDOWS_PROVIDER)
    packed, transport_password = rewrap(making.pfx_of(good), PASSWORD)

    attributes = [
        _attributes(openssl, tmp_path, pfx, password)
        for pfx, password in ((theirs, PASSWORD), (packed, transport_password))
    ]

    assert attributes[0] == attributes[1]
    assert f"Microsoft CSP Name: {WINDOWS_PROVIDER}" in attributes[1]
    assert "X509v3 Key Usage: 10" in attributes[1]


def test_every_transport_has_its_own_long_password(good: Issued) -> None:
    passwords = {rewrap(making.pfx_of(good), PASSWORD)[1] for _ in range(3)}

    assert len(passwords) == 3
    assert all(len(password) >= 32 and password.isascii() for password in passwords)


def test_what_does_not_belong_to_the_certificate_stays_behind(pki: Pki, good: Issued) -> None:
    stranger = making.self_made("stranger")
    bags = [CertificateBag(der) for der in (stranger.der, good.der, pki.issuing.der)]
    pfx = write_pfx([KeyBag(good.private_key)], bags, PASSWORD)

    report = inspect_pfx(*rewrap(pfx, PASSWORD), at=AT)

    assert report.thumbprint_sha1 == good.thumbprint_sha1
    assert [link.subject for link in report.chain] == ["CN=Contoso Issuing CA 2"]


def test_a_certificate_that_ends_soon_is_packed_all_the_same(pki: Pki) -> None:
    # Whether it may be installed was decided at approval; the clock of the worker decides nothing.
    issued = making.self_made(days=(-400, -40), issuer=pki.issuing)

    packed, transport_password = rewrap(making.pfx_of(issued), PASSWORD)

    report = inspect_pfx(packed, transport_password, at=AT)
    assert report.thumbprint_sha1 == issued.thumbprint_sha1


def test_a_wrong_password_is_said_and_never_shown(good: Issued) -> None:
    with pytest.raises(BadInput, match="cannot be opened") as caught:
        rewrap(making.pfx_of(good), "canary-9fK2")

    assert caught.value.code == "SSS-CERTIFICATE"
    assert "canary-9fK2" not in repr(vars(caught.value))


def test_two_keys_and_other_kinds_of_key_are_never_packed(pki: Pki, good: Issued) -> None:
    start, end = good.certificate.not_valid_before_utc, good.certificate.not_valid_after_utc
    other = pki.issue("other", start, end)
    elliptic = pki.issue("elliptic", start, end, key=ec.generate_private_key(ec.SECP256R1()))

    for pfx, reason in (
        (making.several_keys((good, other)), "several private keys"),
        (making.several_keys((good, other), hidden=True), "several private keys"),
        (making.pfx_of(elliptic), "not an RSA key"),
        (making.mismatched(good, other), "do not belong together"),
        (b"nothing", "not a PFX file"),
    ):
        with pytest.raises(BadInput, match=reason):
            rewrap(pfx, PASSWORD)


def _attributes(openssl: str, folder: Path, pfx: bytes, password: str) -> list[str]:
    (folder / "look.pfx").write_bytes(pfx)
    reading, writing = os.pipe()
    os.write(writing, password.encode() + b"\n")
    os.close(writing)
    command = [openssl, "pkcs12", "-in", "look.pfx", "-nodes", "-nocerts"]
    command += ["-passin", f"fd:{reading}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, pass_fds=[reading]
    )
    os.close(reading)
    lines = [line.strip() for line in done.stdout.splitlines()]
    return [line for line in lines if line.startswith(("Microsoft", "X509v3", "localKeyID"))]
