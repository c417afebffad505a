from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from portal.command_line.command import PortalCommand, add_json_option
from portal.command_line.outcome import Exit, Outcome
from portal.jobs import draining
from portal.jobs.draining import Engine, Lease

LOOK_EVERY_S = 0.2


class Command(PortalCommand):
    help = (
        "Stop the engine for an upgrade (drain: workers end the step they are in and take nothing new), "
        "let it go on (resume), or see how it stands (status)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        drain = verbs.add_parser("drain", help="take nothing new; wait until no job is held")
        drain.add_argument(
            "--timeout",
            type=float,
            default=600.0,
            metavar="SECONDS",
            help="how long to wait for steps to end (default: 600); draining goes on afterwards",
        )
        for verb in (
            drain,
            verbs.add_parser("resume", help="claim again"),
            verbs.add_parser("status", help="leases, due jobs, workers seen, duties"),
        ):
            add_json_option(verb)

    def carry_out(self, options: Mapping[str, Any]) -> Outcome:
        match options["verb"]:
            case "drain":
                return self._drain(options["timeout"])
            case "resume":
                changed = draining.resume()
                words = "The engine goes on." if changed else "The engine was not draining."
                return Outcome(_facts(draining.engine()), words)
        engine = draining.engine()
        return Outcome(_facts(engine), _text(engine))

    def _drain(self, seconds: float) -> Outcome:
        draining.drain()
        end = time.monotonic() + seconds
        told: set[str] = set()
        while (held := draining.leases()) and time.monotonic() < end:
            for lease in held:
                if lease.job not in told:
                    told.add(lease.job)
                    self.say(f"Waits for the step of {lease.job} that {lease.worker} is in.")
            time.sleep(LOOK_EVERY_S)
        facts = _facts(draining.engine())
        if held:
            names = ", ".join(lease.job for lease in held)
            words = f"Still held after {seconds:.0f} s: {names}. Nothing new is claimed meanwhile."
            return Outcome(facts, words, Exit.NO_ANSWER)
        words = "Drained: no job is held, and none is claimed until: manage.py engine resume"
        return Outcome(facts, words)


def _facts(engine: Engine) -> dict[str, Any]:
    return {
        "mode": engine.mode,
        "is_draining": engine.is_draining,
        "leases": [
            {"job": lease.job, "worker": lease.worker, "ends_at": lease.ends_at}
            for lease in engine.leases
        ],
        "due": list(engine.due),
        "due_later": engine.later,
        "workers_seen": [
            {"worker": worker, "newest_job": job} for worker, job in engine.workers.items()
        ],
        "watch_seen_at": engine.watch_seen_at,
        "duties": [
            {
                "name": duty.name,
                "every_s": duty.every_s,
                "due_at": duty.due_at,
                "last_at": duty.last_at,
                "last_result": duty.last_result,
            }
            for duty in engine.duties
        ],
    }


def _text(engine: Engine) -> str:
    lines = [
        f"Engine of this {engine.mode} portal: {'draining' if engine.is_draining else 'at work'}",
        f"Held now:    {', '.join(_held(lease) for lease in engine.leases) or 'nothing'}",
        f"Due now:     {', '.join(engine.due) or 'nothing'}",
        f"Due later:   {engine.later}",
        f"Workers:     {_workers(engine)}",
        f"Watch seen:  {_ago(engine)}",
        *(_duty(duty.name, duty.every_s, duty.last_result) for duty in engine.duties),
    ]
    return "\n".join(lines)


def _held(lease: Lease) -> str:
    left = (lease.ends_at - timezone.now()).total_seconds()
    return f"{lease.job} by {lease.worker} (lease ends in {max(left, 0):.0f} s)"


def _workers(engine: Engine) -> str:
    seen = [f"{worker} had {job}" for worker, job in engine.workers.items()]
    return "; ".join(seen[:10]) or "none has carried a job yet"


def _ago(engine: Engine) -> str:
    if engine.watch_seen_at is None:
        return "never: no worker with its watch has run on this database"
    return f"{(timezone.now() - engine.watch_seen_at).total_seconds():.0f} s ago"


def _duty(name: str, every_s: int, result: str) -> str:
    return f"Duty         {name}, every {every_s} s: {result or 'not done yet'}"
