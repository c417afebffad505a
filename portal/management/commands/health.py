from __future__ import annotations

import http.client
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from portal.jobs import beat


class Command(BaseCommand):
    help = (
        "Exit 0 while the web process of this host answers with its database, or while its worker "
        f"has asked the database within {beat.STALE_S:.0f} s; otherwise 1, with the reason."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("process", choices=["web", "worker"])
        parser.add_argument(
            "--address", default="127.0.0.1:8000", help="where the web process listens"
        )

    def handle(self, *, process: str, address: str, **options: Any) -> None:
        self.stdout.write(_web(address) if process == "web" else _worker())


def _web(address: str) -> str:
    # As the reverse proxy would ask: for the portal's own name, and after TLS.
    scheme, _, host = settings.PORTAL_ORIGIN.partition("://")
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request(
            "GET", reverse("health"), headers={"Host": host, "X-Forwarded-Proto": scheme}
        )
        answer = connection.getresponse()
        text = answer.read(200).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(
            f"The web process at {address} does not answer: {type(error).__name__}."
        ) from None
    finally:
        connection.close()
    if answer.status != 200:
        raise CommandError(f"The web process answers {answer.status}. {text}")
    return "The web process and its database answer."


def _worker() -> str:
    age = beat.age_s()
    if age is None:
        raise CommandError(f"No worker has left a trace in {settings.BEAT_FILE} (BEAT_FILE).")
    if age > beat.STALE_S:
        raise CommandError(f"The worker asked the database {age:.0f} s ago for the last time.")
    return f"The worker asked the database {age:.0f} s ago."
