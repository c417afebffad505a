"""A simulator as a real process, for tests and whoever else needs one beside Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
READY_S = 30.0


class SimulatorProcess:
    """Starts ``python -m simulator`` on free ports and waits until it is ready.

    :param state_dir: keeps the world; a second process on the same folder goes on with it.
    """

    def __init__(self, state_dir: Path, *arguments: str, has_control: bool = True) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.state_dir = state_dir
        command = [sys.executable, "-m", "simulator", "--state", str(state_dir)]
        if has_control:
            command.append("--control")
        # That of an earlier process must not be taken for ours.
        (state_dir / "addresses.json").unlink(missing_ok=True)
        self._log = (state_dir / "output.log").open("ab")
        self._process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.addresses = self._wait()
        self.session = requests.Session()
        # REQUESTS_CA_BUNDLE of the machine must not win over the simulator's own authority.
        self.session.trust_env = False
        self.session.verify = str(self.addresses["ca"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def reset(self) -> None:
        """A fresh world, empty ledger and calls, no dials."""
        self._control("POST", "/reset")

    def add_dial(self, **dial: Any) -> str:
        """Turn one dial and return its id."""
        return str(self._control("POST", "/dials", json=dial)["ids"][0])

    def set_dial(self, name: str, value: Any) -> None:
        """Turn one setting of the world, such as ``crm/test_seconds``."""
        self._control("POST", "/dials", json={"set": name, "value": value})

    def dials(self) -> list[dict[str, Any]]:
        """All dials, faults with how often they struck."""
        found: list[dict[str, Any]] = self._control("GET", "/dials")
        return found

    def remove_dial(self, dial_id: str) -> None:
        self._control("DELETE", "/dials", params={"id": dial_id})

    def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """Effects, oldest first."""
        found: list[dict[str, Any]] = self._control("GET", "/ledger", params={"since": since})
        return found

    def calls(self) -> list[dict[str, Any]]:
        """Requests that reached a simulated system, oldest first."""
        found: list[dict[str, Any]] = self._control("GET", "/calls")
        return found

    def world(self, *path: str | int) -> Any:
        """The value at a path of the world; the whole world without CRM records if none is given."""
        return self._control("GET", "/world", params={"path": json.dumps(path) if path else ""})

    def set_world(self, path: str, value: Any) -> None:
        """Arrange one value of the world; the last step ``-`` appends to a list."""
        self._control("POST", "/world", json={"path": path, "value": value})

    def remove_from_world(self, path: str) -> None:
        """Take an element out of a list or dict of the world."""
        self._control("POST", "/world", json={"path": path, "remove": True})

    def chain(self, organization: str, mailbox_id: str) -> dict[str, Any] | None:
        """The first missing link for a mailbox, or None."""
        found: dict[str, Any] | None = self._control(
            "GET", "/chain", params={"organization": organization, "mailbox": mailbox_id}
        )
        return found

    def stop(self) -> None:
        """End the process the clean way (SIGTERM)."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=READY_S)
        self._close()

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._process.kill()
        self._process.wait(timeout=READY_S)
        self._close()

    def _close(self) -> None:
        self.session.close()
        self._log.close()

    def _control(self, method: str, path: str, **options: Any) -> Any:
        address = f"{self.addresses['control']}{path}"
        response = self.session.request(method, address, timeout=30, **options)
        if not response.ok:
            raise ValueError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def _wait(self) -> dict[str, Any]:
        """The addresses, once everything listens."""
        file = self.state_dir / "addresses.json"
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if file.exists():
                found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
                return found
            time.sleep(0.02)
        output = (self.state_dir / "output.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"the simulator did not start: {output[-2000:]}")
