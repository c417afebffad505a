from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.management.base import BaseCommand
from django.utils.timezone import now

from portal.access.models import Role, Scope
from portal.jobs import actions
from portal.jobs.models import LogLine
from portal.jobs.states import JobState
from portal.vault import keys
from simulator.pki import Pki
from simulator.sample_certificates import write_samples
from sync_setup.inspection.inspector import inspect_pfx
from tests.conftest import make_person
from tests.database import fresh_database
from tests.engine.toy_world import ToyWorld, planned_job, wait_for
from tests.environment import FOLDER
from tests.stack import Stack
from tests.toy.tasks import stamp

ROUNDS = 30
STARTS = 15
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
# What a process of the portal has in memory, without a line of the portal.
PACKAGES = """
import django
from django.conf import settings
apps = ["auth", "contenttypes", "sessions", "messages", "staticfiles"]
settings.configure(SECRET_KEY="x", INSTALLED_APPS=["django.contrib." + app for app in apps] + ["csp", "django_htmx"])
django.setup()
import django.contrib.auth.models, django.template.loader, django.test.client, django.db.models
import celery.app.base, celery.worker, kombu, redis, psycopg, msal, requests, pypsrp.client
import cryptography.x509, cryptography.hazmat.primitives.serialization.pkcs12, whitenoise.middleware
"""
WEB = "import portal.wsgi; from django.urls import get_resolver; get_resolver().url_patterns"
WORKER = "import django; django.setup(); import portal.jobs.tasks, celery.worker"

Row = tuple[str, list[float], float, str]


class Command(BaseCommand):
    help = "Measure the portal against the raw limit on this machine: ratios of one run, never a pass or fail."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        keys.make_pair(FOLDER / "keys")
        way = "services" if os.environ.get("REDIS_URL") else "embedded"
        self.stdout.write(
            f"\n{way:<36}{'median':>9}{'p95':>9}{'limit':>9}{'ratio':>7}  goal (ratio)"
        )
        for name, values, limit, goal in self._rows():
            middle = statistics.median(values)
            p95 = sorted(values)[round(0.95 * (len(values) - 1))]
            self.stdout.write(
                f"{name:<36}{middle:>9.4g}{p95:>9.4g}{limit:>9.4g}{middle / limit:>7.2f}  {goal}"
            )

    def _rows(self) -> Iterator[Row]:
        yield self._approve()
        yield self._inspection()
        yield from self._processes()

    def _approve(self) -> Row:
        """From the approval until the worker's first line, against the same broker's bare round trip."""
        with fresh_database() as url:
            stack = Stack(url, LEASE_S="30", WATCH_INTERVAL_S="1", UNCLAIMED_S="5")
            try:
                stack.worker()
                scope = Scope.objects.create(kind="organization", slug="bench", title="Bench")
                people = make_person("mira", Role.REQUESTER), make_person("jonas", Role.APPROVER)
                # In turns, so that both find the machine, the broker and their caches in the same state.
                pairs = [
                    (_bare_round_trip(), _approve_to_first_line(scope, *people))
                    for _ in range(ROUNDS + 1)
                ][1:]
            finally:
                stack.close()
        bare, ours = (list(values) for values in zip(*pairs, strict=True))
        return "Approve → first log line, ms", ours, statistics.median(bare), "≤ 8 × bare Celery"

    def _inspection(self) -> Row:
        folder = Path(mkdtemp(dir=FOLDER))
        sample = write_samples(folder, Pki.load_or_create(folder / "pki"), now())[0]
        data, password = sample.path.read_bytes(), sample.password
        alone = _times(lambda: pkcs12.load_pkcs12(data, password.encode()))
        child = _times(lambda: subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True))
        ours = _times(lambda: inspect_pfx(data, password))
        limit = statistics.median(alone) + statistics.median(child)
        return "Inspection of a PFX, ms", ours, limit, "opening it + a bare child"

    def _processes(self) -> Iterator[Row]:
        with fresh_database() as url:
            web = {"DATABASE_URL": url, "PORTAL_ROLE": "web"}
            codes = {"bare": (PACKAGES, {}), "Web": (WEB, web), "Worker": (WORKER, web)}
            runs: dict[str, list[tuple[float, float]]] = {name: [] for name in codes}
            for _ in range(STARTS + 1):
                for name, (code, environment) in codes.items():
                    runs[name].append(_process(code, **environment))
        goal = "≤ 1.25 × the same imports"
        # The first of each wrote the bytecode.
        times = {name: [seconds for seconds, _ in found[1:]] for name, found in runs.items()}
        sizes = {name: [megabytes for _, megabytes in found[1:]] for name, found in runs.items()}
        for name in ("Web", "Worker"):
            yield f"{name}: start-up, s", times[name], statistics.median(times["bare"]), goal
            yield f"{name}: memory at rest, MB", sizes[name], statistics.median(sizes["bare"]), goal


def _bare_round_trip() -> float:
    place = Path(mkdtemp(dir=FOLDER)) / "stamp"
    began = time.time()
    stamp.apply_async(kwargs={"path": str(place)}, retry=False)
    while not place.exists() or not place.read_text():
        time.sleep(0.0005)
    return (float(place.read_text()) - began) * 1000


def _approve_to_first_line(scope: Scope, requester: Any, approver: Any) -> float:
    job = planned_job(ToyWorld(Path(mkdtemp(dir=FOLDER))), scope, requester)
    actions.send_for_approval(job, by=requester, reason="bench")
    assert job.plan is not None
    began = time.time()
    actions.approve_job(job, by=approver, digest=job.plan.digest)
    wait_for(job, JobState.SUCCEEDED)
    first = LogLine.objects.filter(job=job).order_by("seq").first()
    assert first is not None
    return (first.at.timestamp() - began) * 1000


def _times(do: Callable[[], object], rounds: int = 15) -> list[float]:
    do()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        found.append((time.perf_counter() - began) * 1000)
    return found


def _process(code: str, **environment: str) -> tuple[float, float]:
    """Run it in a process of its own, with the bytecode of every module at hand, as an installation has it.

    :return: seconds until it is ready, and megabytes resident then.
    """
    report = (
        "\nprint([l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')][0])"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + report],
        env={name: value for name, value in os.environ.items() if name != NO_BYTECODE}
        | {"PYTHONPYCACHEPREFIX": str(FOLDER / "bytecode")}
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, int(done.stdout.split()[-1]) / 1024
