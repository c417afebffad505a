"""Make what a portal needs before its first start: folders and keys. ``python -m portal.first_start FOLDER``.

Runs without settings, because those need the keys. What is there already stays as it is.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from portal.vault.keys import make_pair


def prepare(folder: Path) -> None:
    """Make folder, broker folder, secret key (mode 0600) and sealing key pair."""
    for place in (folder, folder / "broker", folder / "keys"):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_pair(folder / "keys")
    secret_key = folder / "keys" / "secret_key"
    if not secret_key.exists():
        handle = os.open(secret_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(64))


if __name__ == "__main__":
    prepare(Path(sys.argv[1] if len(sys.argv) > 1 else "var"))
