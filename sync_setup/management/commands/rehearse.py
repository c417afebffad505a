from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.errors import PortalError
from portal.jobs.models import Installation, Job
from sync_setup.rehearsal.processes import Processes
from sync_setup.rehearsal.rehearsal import Rehearsal

WIDTH = 32
# Seconds instead of CRM's fifteen minutes, and of a person's time; whoever sets them has their way.
CYCLE_S, PERSON_POLL_S = "3", "1"


class Command(BaseCommand):
    help = (
        "Connect the simulated company from registration to the verified end, with a real worker over "
        "the real protocols, and check every effect against the simulator's ledger. Exit 0 only if all holds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="of the simulated world")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print the report as JSON"
        )
        parser.add_argument(
            "--keep", action="store_true", help="keep the folder with logs and ledger"
        )

    def handle(self, *, seed: int, as_json: bool, keep: bool, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        if not Installation.objects.filter(mode="rehearsal").exists():
            raise CommandError(
                "This database is for production. Rehearse with PORTAL_MODE=rehearsal on a database of its own."
            )
        folder = Path(tempfile.mkdtemp(prefix="sss-rehearsal-"))
        self.as_json, self.is_terminal = as_json, sys.stderr.isatty()
        try:
            reports = self._rehearse(folder, seed)
        except PortalError as error:
            raise CommandError(f"{error.message} {error.remedy} (logs: {folder})") from error
        self._print(reports)
        holds = all(report["holds"] for report in reports)
        if keep or not holds:
            self.stderr.write(f"Logs and ledger: {folder}")
        else:
            shutil.rmtree(folder)
        if not holds:
            raise SystemExit(1)

    def _rehearse(self, folder: Path, seed: int) -> list[dict[str, Any]]:
        cycle_s = os.environ.get("SYNC_CYCLE_S", CYCLE_S)
        person_poll_s = os.environ.get("PERSON_POLL_S", PERSON_POLL_S)
        pace = {"SYNC_CYCLE_S": cycle_s, "PERSON_POLL_S": person_poll_s}
        with Processes(folder, pace) as processes:
            addresses = processes.simulator(folder / "simulator", control=True, seed=seed)
            processes.worker(concurrency=1 if settings.EMBEDDED else 2)
            processes.ready()
            rehearsal = Rehearsal(addresses, self._say, self._progress, cycle_s=float(cycle_s))
            name = f"Rehearsal {datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
            return rehearsal.run(name)

    def _say(self, text: str) -> None:
        if not self.as_json:
            self.stdout.write(text)

    def _progress(self, job: Job, done: int, all_of_them: int) -> None:
        if self.as_json or not self.is_terminal:
            return
        bar = "█" * (WIDTH * done // max(all_of_them, 1))
        self.stderr.write(
            f"\r\x1b[K  {bar:░<{WIDTH}} {done} of {all_of_them}  {job.note[:60]}", ending=""
        )
        if job.is_final:
            self.stderr.write("")

    def _print(self, reports: list[dict[str, Any]]) -> None:
        if self.as_json:
            self.stdout.write(json.dumps(reports, indent=1, ensure_ascii=False))
            return
        for report in reports:
            self.stdout.write(
                f"\n{report['job']} {report['organization']}: {report['state']} in {report['seconds']} s"
            )
            for step in report["steps"]:
                self._print_step(step)
            for difference in report["differences"]:
                self.stdout.write(self.style.ERROR(f"  {difference}"))
        if all(report["holds"] for report in reports):
            self.stdout.write("\nEverything holds: the ledger equals the plans.")

    def _print_step(self, step: dict[str, Any]) -> None:
        what = "changed, read back" if step["changed"] else step["state"]
        self.stdout.write(
            f"  {step['position']:>2}. {step['title']}  [{what}, {step['seconds']} s]"
        )
        for name, wanted in step["wanted"].items():
            before, after = step["before"].get(name), step["read_back"].get(name)
            if before != wanted:
                self.stdout.write(f"        {name}: {_short(before)} → {_short(after)}")


def _short(value: Any) -> str:
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 70 else f"{text[:67]}…"
