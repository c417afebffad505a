"""Verbs by which a job that is under way, or has ended, is turned: cancel, retry, undo."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from portal.access.models import Person
from portal.command_line.outcome import Exit, Outcome
from portal.jobs import actions, steering
from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS
from portal.jobs.undo import SLUG as UNDO
from portal.jobs.undo import Part, what_goes_back, what_stays
from sync_setup.command_line.facts import check_facts, decision_facts, job_facts, plan_facts
from sync_setup.command_line.places import job_for
from sync_setup.command_line.verb import Call, Verb, add_job, add_timeout
from sync_setup.command_line.waiting import fresh, wait_until
from sync_setup.command_line.words import job_text, plan_text


def _cancel(call: Call) -> Outcome:
    job = steering.cancel_job(job_for(call.by, call.options["job"]), by=call.by)
    return _told(job, f"{job.name} ends as soon as nothing of it is under way. What is done stays.")


def _retry(call: Call) -> Outcome:
    job = job_for(call.by, call.options["job"])
    steering.retry_job(job, by=call.by)
    text = (
        f"{job.name} goes on at the step it stopped at, under the approval it has; it looks first."
    )
    return _told(job, text)


def _told(job: Job, text: str) -> Outcome:
    found = fresh(job)
    facts = job_facts(found) | {"decisions": decision_facts(found)}
    return Outcome(facts, f"{text}\n\n{job_text(found)}")


def _undo_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    add_timeout(parser, "the plan", 600)


def _undo(call: Call) -> Outcome:
    done = job_for(call.by, call.options["job"])
    undo = wait_until(
        _drafted(done, by=call.by),
        lambda found: found.state not in AT_CHECKS,
        seconds=call.options["timeout"],
        say=call.say,
    )
    back, stays = what_goes_back(done), what_stays(done)
    facts: dict[str, Any] = job_facts(undo) | {
        "checks": check_facts(undo),
        "plan": plan_facts(undo.plan),
        "goes_back": [_part(part) for part in back],
        "stays": [_part(part) for part in stays],
    }
    parts = [job_text(undo), *_lines("Goes back, in this order", back), *_lines("Stays", stays)]
    if undo.plan:
        parts.append(plan_text(undo.plan))
        parts.append(f"Send it to the approvers: manage.py sss request {undo.name} --reason …")
    return Outcome(facts, "\n\n".join(parts), Exit.DONE if undo.plan else Exit.FAILED)


@transaction.atomic
def _drafted(done: Job, *, by: Person) -> Job:
    undo = actions.draft_job(UNDO, done.scope, by=by, inputs={"of": done.number})
    return actions.ask_for_checks(undo, by=by)


def _part(part: Part) -> dict[str, str]:
    return {"title": part.title, "why": part.why}


def _lines(heading: str, parts: list[Part]) -> list[str]:
    rows = [f"  {part.title}{f': {part.why}' if part.why else ''}" for part in parts]
    return ["\n".join([f"{heading}:", *rows])] if rows else []


VERBS = (
    Verb("cancel", "Have a job end between two changes; what is done stays.", add_job, _cancel),
    Verb(
        "retry",
        "Have a failed or cancelled job go on at the step it stopped at.",
        add_job,
        _retry,
    ),
    Verb(
        "undo",
        "Draft the job that takes back what another one did, and its plan.",
        _undo_arguments,
        _undo,
    ),
)
