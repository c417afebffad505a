"""Ratios against the limits of the same machine, for both ways to run. ``python -m tests.bench``."""

from __future__ import annotations

import subprocess
import sys

from tests.services import MISSING

_ONE = [
    sys.executable,
    "-c",
    "import tests.environment; from django.core.management import execute_from_command_line as e; e(['bench', 'bench'])",
]


def main() -> int:
    """Measure embedded, then with PostgreSQL and Redis where they are."""
    embedded = subprocess.run(_ONE).returncode
    services = subprocess.run([sys.executable, "-m", "tests.services", *_ONE]).returncode
    return embedded or (0 if services == MISSING else services)


if __name__ == "__main__":
    sys.exit(main())
