"""The two halves of the sealing key: everybody may seal, only workers can open."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def key_id(public: X25519PublicKey) -> str:
    """Give the name of a key: the first 16 hex digits of the SHA-256 of its public half."""
    return hashlib.sha256(public.public_bytes(*_RAW)).hexdigest()[:16]


@lru_cache(maxsize=1)
def sealing_key() -> X25519PublicKey:
    """Give the public half, with which any process seals.

    :raises ImproperlyConfigured: when SEALING_KEY_FILE cannot be read or is not an X25519 public key.
    """
    path = Path(settings.SEALING_KEY_FILE)
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise ImproperlyConfigured(
            f"SEALING_KEY_FILE ({path}) is missing or no public key. Run: python -m portal.first_start"
        ) from None
    if not isinstance(key, X25519PublicKey):
        raise ImproperlyConfigured("SEALING_KEY_FILE must hold an X25519 public key.")
    return key


@lru_cache(maxsize=1)
def opening_key() -> X25519PrivateKey:
    """Give the private half, which only a worker has.

    :raises ImproperlyConfigured: in any other role, or when the file is missing or not the other half.
    """
    if settings.PORTAL_ROLE != "worker":
        raise ImproperlyConfigured("Only a worker opens secrets.")
    path = Path(settings.OPENING_KEY_FILE or "")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise ImproperlyConfigured(
            f"OPENING_KEY_FILE ({path}) is missing or no private key."
        ) from None
    if not isinstance(key, X25519PrivateKey):
        raise ImproperlyConfigured("OPENING_KEY_FILE must hold an X25519 private key.")
    if key_id(key.public_key()) != key_id(sealing_key()):
        raise ImproperlyConfigured("OPENING_KEY_FILE is not the other half of SEALING_KEY_FILE.")
    return key


def make_pair(folder: Path) -> tuple[Path, Path]:
    """Make both halves in ``folder`` (``sealing.pem``, ``opening.pem``, the latter mode 0600) unless they are there.

    :return: paths of the public and the private half.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public_path, private_path = folder / "sealing.pem", folder / "opening.pem"
    if not private_path.exists():
        key = X25519PrivateKey.generate()
        handle = os.open(private_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        public_path.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    return public_path, private_path
