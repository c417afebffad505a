"""The whole portal as people use it: simulator, web and worker as real processes, and a browser."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from django.conf import settings

from portal.access.models import Person
from sync_setup.rehearsal import simulated
from tests.simulator_process import SimulatorProcess
from tests.stack import Process, Stack


class Portal(Stack):
    """Web and worker on one test's database, before the simulated company."""

    def __init__(self, database_url: str, simulator: SimulatorProcess, admin: Person) -> None:
        super().__init__(database_url)
        simulator.reset()
        simulator.set_dial("crm/cycle_seconds", 0.5)
        simulator.set_dial("crm/test_seconds", 0.3)
        self.simulator, self.addresses = simulator, simulator.addresses
        settings.CLOUDS_FILE = str(Path(settings.VAR_DIR) / "clouds.json")
        simulated.write_clouds(self.addresses)
        simulated.register(self.addresses, by=admin)
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start web and worker and wait for both."""
        self._web = self._start_web()
        self.worker()
        self._web.wait_for("Booting worker")

    @property
    def web_log(self) -> str:
        return self._web.log

    def _start_web(self) -> Process:
        app = self.addresses["sign_in_app"]
        environment = {
            "PORTAL_ROLE": "web",
            "PORTAL_ORIGIN": self.origin,
            "PORTAL_HOSTS": "localhost",
            "SIGN_IN_AUTHORITY": f"{self.addresses['entra']}/{app['tenant_id']}",
            "SIGN_IN_CLIENT_ID": app["client_id"],
            "SIGN_IN_CLIENT_SECRET": app["client_secret"],
            "SIGN_IN_CA_FILE": self.addresses["ca"],
            "SIGN_IN_FORM_ORIGINS": self.addresses["authorize"],
        }
        arguments = [
            *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{self.port}"),
            *("--worker-class", "gevent", "--workers", "1"),
        ]
        return self._start(arguments, self.environment | environment, "web")


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
