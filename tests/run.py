"""Run all tests that this machine can run: embedded, then with PostgreSQL and Redis. ``python -m tests.run``.

What is missing is said, with the reason; exit 0 only if everything that ran passed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

from tests.services import MISSING

# Run again on PostgreSQL and Redis: the engine, the journeys, pages that ask for JSON and sort it, and
# what only a server database shows. The verbs of tests/command_line and the pages of tests/web_setup stand on the
# same actions; the long form runs the latter there too.
ON_BOTH = [
    "tests/engine",
    "tests/journeys",
    "tests/access",
    "tests/production/test_rights.py",
    "tests/production/test_start.py",
    "tests/production/test_health.py",
]
ON_BOTH_IN_FULL = ["tests/web_setup"]


def main() -> int:
    """Run both passes and print a summary a person can read."""
    options = ["-q", "-n", "2", "--dist", "loadgroup"]
    on_both = ON_BOTH
    if "--full" in sys.argv:
        options.append("--full")
        on_both = ON_BOTH + ON_BOTH_IN_FULL
    began = time.monotonic()
    passes = {"embedded (SQLite, filesystem broker)": _pytest(["tests", *options])}
    services = [sys.executable, "-m", "tests.services", *_command([*on_both, *options])]
    code = subprocess.run(services).returncode
    passes["services (PostgreSQL, Redis)"] = code
    print()  # noqa: T201
    for name, result in passes.items():
        word = {0: "passed", MISSING: "skipped: PostgreSQL or Redis is not on this machine"}
        print(f"{name}: {word.get(result, 'FAILED')}")  # noqa: T201
    if shutil.which("chromium") is None:
        print("browser journeys: skipped: Chromium is not on this machine")  # noqa: T201
    print(f"{time.monotonic() - began:.0f} s")  # noqa: T201
    return int(any(result not in (0, MISSING) for result in passes.values()))


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def _pytest(arguments: list[str]) -> int:
    return subprocess.run(_command(arguments)).returncode


if __name__ == "__main__":
    sys.exit(main())
