"""What WinRM carried, written down where somebody asked for it: to prove what is in no message.

It holds every secret that was sent, so nothing is recorded unless a file is named at the start.
"""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path

from simulator.crm_servers.parameters import Credential, Secret


class MessageRecord:
    """A file with one JSON line for everything that a CRM server took or gave, TLS taken away.

    Fields: ``server``; ``kind``; ``name``; ``data`` (base64). Kinds: ``request`` and ``answer`` (a whole
    WS-Management message), ``sent`` and ``received`` (the PowerShell remoting fragments in it, as the
    client sees them), ``parameter`` (one bound value of a function, secure strings decrypted; ``name`` is
    ``Function -Parameter``).
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._file = file
        # It is to hold secrets: nobody else may read it, from the first byte on.
        file.touch(mode=0o600)

    def add(self, server: str, kind: str, name: str, data: bytes) -> None:
        """Write one line; nothing for empty data."""
        if not data:
            return
        line = json.dumps(
            {"server": server, "kind": kind, "name": name, "data": base64.b64encode(data).decode()}
        )
        with self._lock, self._file.open("a", encoding="ascii") as file:
            file.write(line + "\n")

    def add_parameters(self, server: str, function: str, values: dict[str, object]) -> None:
        """Write the bound values of one call, each on a line of its own."""
        for name, value in values.items():
            self.add(server, "parameter", f"{function} -{name}", _plain(value))


def _plain(value: object) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, Secret):
        return value.text.encode()
    if isinstance(value, Credential):
        return f"{value.user_name}\n{value.password.text}".encode()
    return b"" if value is None else str(value).encode()
