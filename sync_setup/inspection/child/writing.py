"""Write the PFX that goes to a CRM server: one RSA key, its certificate, the chain, nothing else.

3DES and a SHA-1 MAC, because Windows Server 2016 reads nothing newer; the password is a random one
for this one transport, so their age does not matter. The two attributes are those with which
``openssl pkcs12 -export -keyex -CSP …`` makes Windows import into a CSP with KeySpec 1
(https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfximportcertstore).
"""

from __future__ import annotations

import hashlib
import hmac
import os

from asn1crypto import algos, cms, core, keys, pkcs12
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from sync_setup.inspection.child.stretching import KEY, MAC, VECTOR, Stretch, spellings, stretch

WINDOWS_PROVIDER = "Microsoft Enhanced RSA and AES Cryptographic Provider"

_CSP_NAME = "1.3.6.1.4.1.311.17.1"
_KEY_USAGE = "2.5.29.15"
_AT_KEYEXCHANGE = core.BitString.load(b"\x03\x02\x04\x10")
"""One byte 0x10, four unused bits: what Windows itself writes for a key with KeySpec 1."""

_ITERATIONS = 2000


def write_pfx(pkcs8: bytes, leaf: bytes, chain: list[bytes], password: str) -> bytes:
    """The PFX.

    :param pkcs8: the RSA key in DER.
    :param leaf, chain: certificates in DER.
    """
    mark = hashlib.sha1(leaf, usedforsecurity=False).digest()
    certificates = [_certificate_bag(leaf, mark), *(_certificate_bag(der) for der in chain)]
    safes = [
        _encrypted(pkcs12.SafeContents(certificates).dump(), password),
        _content(
            "data", core.OctetString(pkcs12.SafeContents([_key_bag(pkcs8, mark, password)]).dump())
        ),
    ]
    protected = pkcs12.AuthenticatedSafe(safes).dump()
    how = _fresh_stretch()
    mac_key = stretch(how, spellings(password)[0], MAC, 20)
    digest = {
        "digest_algorithm": {"algorithm": "sha1"},
        "digest": hmac.digest(mac_key, protected, "sha1"),
    }
    pfx: bytes = pkcs12.Pfx(
        {
            "version": 3,
            "auth_safe": _content("data", core.OctetString(protected)),
            "mac_data": {"mac": digest, "mac_salt": how.salt, "iterations": how.iterations},
        }
    ).dump()
    return pfx


def _key_bag(pkcs8: bytes, mark: bytes, password: str) -> pkcs12.SafeBag:
    key = keys.PrivateKeyInfo.load(pkcs8)
    key["attributes"] = [{"type": _KEY_USAGE, "values": [_AT_KEYEXCHANGE]}]
    algorithm, sealed = _seal(key.dump(force=True), password)
    shrouded = keys.EncryptedPrivateKeyInfo(
        {"encryption_algorithm": algorithm, "encrypted_data": sealed}
    )
    # GUESS: an import by .NET on the server honours both attributes (provider, KeySpec 1); the step
    # that installs the certificate reads KeySpec back and stops where it is not 1.
    attributes = [
        {"type": "local_key_id", "values": [mark]},
        {"type": _CSP_NAME, "values": [core.BMPString(WINDOWS_PROVIDER)]},
    ]
    return pkcs12.SafeBag(
        {
            "bag_id": "pkcs8_shrouded_key_bag",
            "bag_value": shrouded,
            "bag_attributes": attributes,
        }
    )


def _certificate_bag(der: bytes, mark: bytes = b"") -> pkcs12.SafeBag:
    bag: dict[str, object] = {
        "bag_id": "cert_bag",
        "bag_value": pkcs12.CertBag(
            {"cert_id": "x509", "cert_value": core.ParsableOctetString(der)}
        ),
    }
    if mark:
        bag["bag_attributes"] = [{"type": "local_key_id", "values": [mark]}]
    return pkcs12.SafeBag(bag)


def _encrypted(plain: bytes, password: str) -> cms.ContentInfo:
    algorithm, sealed = _seal(plain, password)
    inner = {
        "content_type": "data",
        "content_encryption_algorithm": algorithm,
        "encrypted_content": sealed,
    }
    encrypted = cms.EncryptedData({"version": "v0", "encrypted_content_info": inner})
    return _content("encrypted_data", encrypted)


def _content(kind: str, content: core.Asn1Value) -> cms.ContentInfo:
    return cms.ContentInfo({"content_type": kind, "content": content})


def _seal(plain: bytes, password: str) -> tuple[algos.EncryptionAlgorithm, bytes]:
    how, way = _fresh_stretch(), spellings(password)[0]
    padder = PKCS7(64).padder()
    padded = padder.update(plain) + padder.finalize()
    cipher = Cipher(
        TripleDES(stretch(how, way, KEY, 24)), modes.CBC(stretch(how, way, VECTOR, 8))
    ).encryptor()
    algorithm = algos.EncryptionAlgorithm(
        {
            "algorithm": "pkcs12_sha1_tripledes_3key",
            "parameters": {"salt": how.salt, "iterations": how.iterations},
        }
    )
    return algorithm, cipher.update(padded) + cipher.finalize()


def _fresh_stretch() -> Stretch:
    return Stretch("pkcs12", "sha1", os.urandom(8), _ITERATIONS)
