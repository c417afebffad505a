"""Secrets of the demo applications and accounts: new in every folder, the same in every start."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from simulator.tokens import encode


class SecretSource:
    """Derives secrets from a random key that is kept in a file."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.touch(mode=0o600)
            file.write_bytes(os.urandom(32))
        self._key = file.read_bytes()

    def secret_of(self, name: str) -> str:
        """The secret of an application (its client id) or the password of an account (its name)."""
        digest = hmac.digest(self._key, name.encode(), hashlib.sha256)
        # Upper and lower case, digits and a mark, as a password policy would ask for.
        return f"{encode(digest)[:28]}~7aA"
