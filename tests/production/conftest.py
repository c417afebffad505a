from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


# SQLite knows no roles: these have something to say with PostgreSQL only.
collect_ignore = ["test_rights.py"] if settings.EMBEDDED else []
