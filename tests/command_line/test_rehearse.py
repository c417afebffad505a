"""The rehearsal on a fresh database, by its bare command: the pace is its own, not that of whoever calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from portal.access.models import Scope
from tests.environment import FOLDER
from tests.stack import ROOT

PACE = ("SYNC_CYCLE_S", "PERSON_POLL_S", "LEASE_S", "WATCH_INTERVAL_S", "UNCLAIMED_S")


def test_the_bare_command_carries_the_main_job_to_its_end(database_url: str) -> None:
    (FOLDER / "broker").mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in PACE}

    done = subprocess.run(
        [sys.executable, "manage.py", "rehearse", "--json"],
        cwd=ROOT,
        env=environment | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    reports = json.loads(done.stdout)
    assert [report["holds"] for report in reports] == [True] * Scope.objects.count()
    assert reports
