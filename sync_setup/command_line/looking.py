"""Verbs that look at an organization and keep what people know of it; nothing outside is changed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from portal.command_line.outcome import Exit, Outcome
from portal.jobs import actions as jobs
from portal.jobs.models import Job
from portal.jobs.states import JobState
from sync_setup import actions
from sync_setup.command_line.facts import job_facts, organization_facts
from sync_setup.command_line.places import organization_for
from sync_setup.command_line.verb import Call, Verb, add_organization, add_timeout, no_arguments
from sync_setup.command_line.waiting import wait_until
from sync_setup.command_line.words import job_text
from sync_setup.models import Organization, Reading
from sync_setup.reading import ReadOrganization, TestConnection
from sync_setup.recorded import QUESTIONS

# Links in these states need somebody; what is not done yet, or ends soon, is no failure.
_BAD_LINKS = ("failing", "cannot_check")


def _organizations(call: Call) -> Outcome:
    theirs = Organization.objects.for_person(call.by).select_related(
        "scope", "deployment", "tenant"
    )
    rows = list(theirs.order_by("unique_name", "pk"))
    readings = {row.organization_id: row.read_at for row in Reading.objects.all()}
    facts = [organization_facts(row) | {"read_at": readings.get(row.pk)} for row in rows]
    lines = [
        f"{row.unique_name:<24} {row.deployment.name:<24} {row.tenant.name:<20} {row.environment}"
        for row in rows
    ]
    return Outcome(
        {"organizations": facts}, "\n".join(lines) or "You answer for no organization yet."
    )


def _read_arguments(parser: ArgumentParser) -> None:
    add_organization(parser)
    add_timeout(parser, "the worker", 300)


def _look(call: Call) -> Outcome:
    organization = organization_for(call.by, call.options["organization"])
    job = _read(call, ReadOrganization.slug, organization)
    reading = Reading.objects.filter(organization=organization).first()
    if job.state != JobState.SUCCEEDED or reading is None:
        return _did_not_work(job)
    links: list[dict[str, Any]] = reading.facts["links"]
    is_bad = any(link["state"] in _BAD_LINKS for link in links)
    facts = organization_facts(organization) | {
        "job": job.name,
        "read_at": reading.read_at,
        "links": links,
        "certificates": _public(reading.facts["certificates"]),
        "found": reading.facts["organization"],
    }
    lines = [f"{organization.unique_name}, read {timezone.localtime(reading.read_at):%H:%M:%S}"]
    lines += [f"  {link['state']:<12} {link['title']}: {link['text']}" for link in links]
    return Outcome(facts, "\n".join(lines), Exit.FAILED if is_bad else Exit.DONE)


def _public(certificates: Any) -> Any:
    """Leave the bytes out: they are for choosing a certificate, and long."""
    if not isinstance(certificates, list):
        return certificates
    return [{name: row[name] for name in row if name != "raw"} for row in certificates]


def _test_connection(call: Call) -> Outcome:
    organization = organization_for(call.by, call.options["organization"])
    job = _read(call, TestConnection.slug, organization)
    if job.state != JobState.SUCCEEDED:
        return _did_not_work(job)
    doors: list[dict[str, Any]] = job.inputs["doors"]
    works = all(door["works"] for door in doors)
    lines = []
    for door in doors:
        word = "works" if door["works"] else "does not work"
        lines.append(f"{door['name']}: {word} ({door['seconds']} s): {door['text']}")
        lines += [f"    To do: {fix}" for fix in door["fix"].splitlines() if fix]
    facts = organization_facts(organization) | {"job": job.name, "works": works, "doors": doors}
    return Outcome(facts, "\n".join(lines), Exit.DONE if works else Exit.FAILED)


def _read(call: Call, kind: str, organization: Organization) -> Job:
    job = jobs.start_reading(kind, organization.scope, by=call.by)
    return wait_until(
        job, lambda found: found.is_final, seconds=call.options["timeout"], say=call.say
    )


def _did_not_work(job: Job) -> Outcome:
    return Outcome(job_facts(job), job_text(job), Exit.FAILED)


def _answer_arguments(parser: ArgumentParser) -> None:
    add_organization(parser)
    parser.add_argument("question", metavar="QUESTION", choices=list(QUESTIONS), help=_questions())
    parser.add_argument("answer", metavar="ANSWER")
    parser.add_argument("--remark", default="", help="who said so, and when they looked")
    parser.add_argument("--ticket", default="")


def _questions() -> str:
    found = [
        f"{question.key} ({', '.join(value for value, _ in question.answers)})"
        for question in QUESTIONS.values()
    ]
    return "and its answers: " + "; ".join(found)


def _record_answer(call: Call) -> Outcome:
    options = call.options
    organization = organization_for(call.by, options["organization"])
    kept = actions.record_answer(
        organization,
        options["question"],
        options["answer"],
        by=call.by,
        remark=options["remark"],
        ticket=options["ticket"],
    )
    question = QUESTIONS[kept.question]
    facts = organization_facts(organization) | {
        "question": kept.question,
        "answer": kept.answer,
        "remark": kept.remark,
        "ticket": kept.ticket,
        "person": call.by.username,
    }
    return Outcome(facts, f"Recorded. {question.title}: {question.words(kept.answer)}")


VERBS = (
    Verb("organizations", "List the organizations you answer for.", no_arguments, _organizations),
    Verb("look", "Look at an organization's trust chain, link by link.", _read_arguments, _look),
    Verb(
        "test-connection",
        "Try every door: Entra ID, each CRM server, Dynamics.",
        _read_arguments,
        _test_connection,
    ),
    Verb(
        "record-answer",
        "Record what no interface tells, in your name.",
        _answer_arguments,
        _record_answer,
    ),
)
