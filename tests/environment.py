"""The environment of one test process, set before Django reads it: a folder of its own for everything.

Loaded by ``-p tests.environment``. Every process (each worker of pytest-xdist too) gets a private
folder, keys and database; DATABASE_URL and REDIS_URL choose the services way when they are set.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

# These would override the CA files that the simulator's clients are given.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
    os.environ.pop(name, None)

FOLDER = Path(tempfile.mkdtemp(prefix="sss-test-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["PORTAL_VAR"] = str(FOLDER)
os.environ["PORTAL_MODE"] = "rehearsal"
os.environ["PORTAL_ROLE"] = "command"
os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{FOLDER}/portal.sqlite3")
os.environ.setdefault("LEASE_S", "2")
os.environ.setdefault("WATCH_INTERVAL_S", "0.2")
os.environ.setdefault("UNCLAIMED_S", "1")
os.environ.setdefault("STALE_READ_S", "1")
os.environ.setdefault("RETRY_BASE_S", "0.2")
os.environ.setdefault("RETRY_FOR_S", "4")
os.environ.setdefault("SYNC_CYCLE_S", "2")
os.environ.setdefault("PERSON_POLL_S", "0.5")
os.environ["CLOUDS_FILE"] = str(FOLDER / "clouds.json")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--full`` runs the long form of matrices too (make test-full)."""
    parser.addoption("--full", action="store_true", help="run the long form of matrices too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long forms out of a short run."""
    if not config.getoption("--full"):
        long = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)
