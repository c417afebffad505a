from __future__ import annotations

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from portal.vault import keys


class Command(BaseCommand):
    help = "Make the sealing key pair in a folder, unless it is there. Keep opening.pem with the workers alone."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder: Path, **options: Any) -> None:
        public, private = keys.make_pair(folder)
        self.stdout.write(f"Everybody seals with {public}; only workers open, with {private}.")
        secret_key = folder / "secret_key"
        if not secret_key.exists():
            secret_key.touch(mode=0o600)
            secret_key.write_text(secrets.token_urlsafe(64), encoding="utf-8")
