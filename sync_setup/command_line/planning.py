"""Verbs of a requester: from a certificate to a plan, checked."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.db import transaction

from portal.access.models import Person
from portal.command_line.outcome import Exit, Outcome
from portal.command_line.secret_input import add_secret_option, bytes_of, line_of
from portal.errors import BadInput, PortalError
from portal.jobs import actions as jobs
from portal.jobs import plans
from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS
from portal.vault.actions import destroy_secrets
from portal.vault.models import Secret
from sync_setup import drafts, shown
from sync_setup.certificates import upload_certificate
from sync_setup.command_line.facts import check_facts, job_facts, plan_facts
from sync_setup.command_line.places import job_for, organization_for
from sync_setup.command_line.verb import (
    Call,
    Verb,
    add_job,
    add_organization,
    add_timeout,
    job_number,
)
from sync_setup.command_line.waiting import wait_until
from sync_setup.command_line.words import checks_text, job_text, plan_text
from sync_setup.inspection.forms import LIMIT_BYTES, needs_password
from sync_setup.models import Organization, Reading, TokenCertificate
from sync_setup.plans import ConnectOrganization

_OPTIONS = ("pilot", "profile_name", "profile_owner")


def _plan_arguments(parser: ArgumentParser) -> None:
    add_organization(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--pfx", type=Path, metavar="FILE", help="certificate with its private key")
    source.add_argument(
        "--thumbprint",
        metavar="SHA1",
        help="certificate that is on the servers already, as sss look shows it",
    )
    add_secret_option(parser, "--password-file", "the password of the PFX file")
    parser.add_argument("--pilot", metavar="MAILBOX", help="mailbox that proves the connection")
    parser.add_argument("--profile-name", metavar="NAME", help="of the email server profile")
    parser.add_argument("--profile-owner", metavar="PERSON", help="who gets its alerts")
    parser.add_argument(
        "--set-defaults",
        action="store_true",
        default=None,
        help="make the profile and its methods the organization's defaults too",
    )
    parser.add_argument(
        "--job", type=job_number, metavar="J-n", help="go on with this draft instead of a new one"
    )
    add_timeout(parser, "checks and plan", 600)


def _plan(call: Call) -> Outcome:
    organization = organization_for(call.by, call.options["organization"])
    inputs: dict[str, Any] = {
        name: call.options[name]
        for name in (*_OPTIONS, "set_defaults")
        if call.options[name] is not None
    }
    if call.options["job"]:
        job = _go_on(call, organization, inputs)
    else:
        job = _begin(call, organization, inputs)
    call.say(f"{job.name}: checks, then the plan.")
    return _checked(call, job)


def _begin(call: Call, organization: Organization, inputs: dict[str, Any]) -> Job:
    """Draft a new job with its certificate and ask for the checks: all of it, or nothing."""
    if call.options["pfx"]:
        # What else was given is judged first: a file is not sealed for a draft that cannot be.
        plans.kind_of(ConnectOrganization.slug).clean_inputs(organization.scope, inputs, by=call.by)
        pfx, password = _file_and_password(call)
        certificate = upload_certificate(organization, pfx, password, by=call.by)
        try:
            return _drafted(organization, inputs | {"certificate": certificate.pk}, by=call.by)
        except PortalError:
            _destroy(certificate, by=call.by)
            raise
    if not call.options["thumbprint"]:
        raise BadInput(
            "A new setup needs its certificate.",
            remedy="Give --pfx FILE, or --thumbprint of one that is on the servers.",
            field="pfx",
        )
    reading, thumbprint = _stored(call, organization)
    with transaction.atomic():
        job = jobs.draft_job(
            ConnectOrganization.slug, organization.scope, by=call.by, inputs=inputs
        )
        drafts.use_stored_certificate(job, reading, thumbprint, by=call.by)
        return jobs.ask_for_checks(Job.objects.get(pk=job.pk), by=call.by)


@transaction.atomic
def _drafted(organization: Organization, inputs: dict[str, Any], *, by: Person) -> Job:
    job = jobs.draft_job(ConnectOrganization.slug, organization.scope, by=by, inputs=inputs)
    return jobs.ask_for_checks(job, by=by)


def _destroy(certificate: TokenCertificate, *, by: Person) -> None:
    ids = [pk for pk in (certificate.pfx_id, certificate.pfx_password_id) if pk]
    destroy_secrets(list(Secret.objects.filter(pk__in=ids)), by=by)


def _go_on(call: Call, organization: Organization, inputs: dict[str, Any]) -> Job:
    """Take over what was chosen into a draft that is there, and ask for the checks again."""
    job = job_for(call.by, call.options["job"])
    if job.kind != ConnectOrganization.slug or job.scope_id != organization.scope_id:
        raise BadInput(f"{job.name} is no setup of {organization.unique_name}.", field="job")
    if call.options["pfx"]:
        pfx, password = _file_and_password(call)
        drafts.bring_certificate(job, pfx, password, by=call.by)
    elif call.options["thumbprint"]:
        reading, thumbprint = _stored(call, organization)
        drafts.use_stored_certificate(job, reading, thumbprint, by=call.by)
    return drafts.run_checks(job_for(call.by, job.number), inputs, [], by=call.by)


def _file_and_password(call: Call) -> tuple[bytes, str]:
    pfx = bytes_of(call.options["pfx"], option="--pfx", limit=LIMIT_BYTES)
    if len(pfx) > LIMIT_BYTES or not needs_password(pfx):
        return pfx, ""
    password = line_of(
        call.options["password_file"], asking="Password of the PFX file", option="--password-file"
    )
    return pfx, password


def _stored(call: Call, organization: Organization) -> tuple[Reading, str]:
    reading = shown.newest_reading(organization, call.by)
    if reading is None:
        raise BadInput(
            "Nobody has looked at the servers of this deployment yet.",
            remedy=f"Look first: manage.py sss look {organization.unique_name}",
            field="thumbprint",
        )
    return reading, "".join(call.options["thumbprint"].split()).upper()


def _checked(call: Call, job: Job) -> Outcome:
    job = wait_until(
        job,
        lambda found: found.state not in AT_CHECKS,
        seconds=call.options["timeout"],
        say=call.say,
    )
    return _told(job)


def _told(job: Job) -> Outcome:
    facts = job_facts(job) | {"checks": check_facts(job), "plan": plan_facts(job.plan)}
    parts = [job_text(job), checks_text(job)]
    if job.plan:
        parts.append(plan_text(job.plan))
        parts.append(f"Send it to the approvers: manage.py sss request {job.name} --reason …")
    return Outcome(facts, "\n\n".join(parts), Exit.DONE if job.plan else Exit.FAILED)


def _checks_arguments(parser: ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--again", action="store_true", help="run them anew first; drops the plan")
    add_timeout(parser, "checks and plan", 600)


def _checks(call: Call) -> Outcome:
    job = job_for(call.by, call.options["job"])
    if call.options["again"]:
        return _checked(call, jobs.ask_for_checks(job, by=call.by))
    checks = check_facts(job)
    is_stopped = any(row["verdict"] not in ("pass", "warn") for row in checks)
    code = Exit.FAILED if is_stopped else Exit.DONE
    return Outcome(job_facts(job) | {"checks": checks}, checks_text(job), code)


VERBS = (
    Verb(
        "plan",
        "Draft the setup of an organization: certificate, checks, and the plan as a difference.",
        _plan_arguments,
        _plan,
    ),
    Verb("checks", "Show what the checks of a job found.", _checks_arguments, _checks),
)
