from __future__ import annotations

import os
import signal
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.access.actions import grant_role
from portal.access.models import Person, Role
from portal.errors import PortalError
from portal.jobs.models import Installation
from sync_setup.models import Organization
from sync_setup.rehearsal import simulated
from sync_setup.rehearsal.processes import Processes

SIMULATOR_ABOVE = 440  # the simulator's ports begin this far above the portal's


class Command(BaseCommand):
    help = "Run simulator, worker and web server together until Ctrl-C: the portal to try out, in a browser."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, port: int, **options: Any) -> None:
        if settings.PORTAL_MODE != "rehearsal":
            raise CommandError("The demo runs with PORTAL_MODE=rehearsal: make demo")
        call_command("migrate", verbosity=0)
        if not Installation.objects.filter(mode="rehearsal").exists():
            raise CommandError("This database is for production; the demo needs one of its own.")
        _collect_static()
        # Also where a shell started this in the background, with Ctrl-C ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        folder = Path(settings.VAR_DIR).resolve()
        try:
            with Processes(folder / "log") as processes:
                addresses = processes.simulator(
                    folder / "simulator", port=port + SIMULATOR_ABOVE, control=True
                )
                self._register_once(addresses)
                os.environ.update(_sign_in(addresses, port))
                processes.worker(concurrency=1)
                processes.web(port=port)
                processes.ready()
                self._tell(addresses, port)
                while (ended := processes.ended()) is None:
                    time.sleep(0.5)
                raise CommandError(f"The {ended} has ended; read {folder / 'log' / ended}.log")
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. The data stays; make demo-reset clears it.")
        except PortalError as error:
            raise CommandError(f"{error.message} {error.remedy}") from error

    def _register_once(self, addresses: dict[str, Any]) -> None:
        """Make the simulated company known at the first start; later starts keep what is there."""
        simulated.write_clouds(addresses)
        if Organization.objects.exists():
            return
        admin, _ = Person.objects.get_or_create(
            username="first-start", defaults={"name": "First start"}
        )
        admin.set_unusable_password()
        admin.save()
        grant_role(admin, Role.ADMIN, None, by=None)
        simulated.register(addresses, by=admin)

    def _tell(self, addresses: dict[str, Any], port: int) -> None:
        write = self.stdout.write
        write(
            f"\n  SSS Portal   http://localhost:{port}\n\n  Sign in as one of these; no password is asked:"
        )
        for person in addresses["people"]:
            roles = ", ".join(role.removeprefix("Sss.") for role in person["roles"])
            write(f"    {person['name']:<14} {roles}")
        write("\n  Certificates to try:")
        for sample in addresses["samples"]:
            write(f"    {sample['title']:<28} {sample['path']}   password: {sample['password']}")
        write(f"\n  Pilot mailbox: {next(iter(addresses['pilots'].values()))}")
        write(f"  Tenant administrator: {addresses['administration']} (deletes the setup app)")
        write("  Stop with Ctrl-C.\n")


def _sign_in(addresses: dict[str, Any], port: int) -> dict[str, str]:
    app = addresses["sign_in_app"]
    return {
        "PORTAL_ORIGIN": f"http://localhost:{port}",
        "PORTAL_HOSTS": "localhost,127.0.0.1",
        "SIGN_IN_AUTHORITY": f"{addresses['entra']}/{app['tenant_id']}",
        "SIGN_IN_CLIENT_ID": app["client_id"],
        "SIGN_IN_CLIENT_SECRET": app["client_secret"],
        "SIGN_IN_CA_FILE": addresses["ca"],
        "SIGN_IN_FORM_ORIGINS": addresses["authorize"],
        # Fifteen minutes are the real cycle; the simulated one is seconds.
        "SYNC_CYCLE_S": "15",
        "PERSON_POLL_S": "3",
    }


def _collect_static() -> None:
    """Collect static files where one of them, or the packages that bring some, changed since the last time."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    sources = [*(settings.BASE_DIR / "static").rglob("*"), settings.BASE_DIR / "requirements.txt"]
    newest = max(path.stat().st_mtime for path in sources)
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        call_command("collectstatic", interactive=False, verbosity=0)
