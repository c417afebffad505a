"""What a requester does with the draft of a setup: bring a certificate, choose options, ask for the checks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from portal.access.models import Person
from portal.errors import BadInput, NotAllowed, Outpaced
from portal.jobs import actions as jobs
from portal.jobs.models import Job
from portal.jobs.states import EDITABLE
from portal.vault.actions import destroy_secrets
from portal.vault.models import Secret
from sync_setup.actions import record_answer
from sync_setup.certificates import StoredCertificate, choose_certificate, upload_certificate
from sync_setup.models import Organization, Reading, TokenCertificate


@dataclass(frozen=True)
class Answer:
    """What was answered to one question.

    :param remark: who said so, and when they looked, where it is not the person who records it.
    """

    question: str
    answer: str
    remark: str = ""
    ticket: str = ""


def bring_certificate(job: Job, pfx: bytes, password: str, *, by: Person) -> TokenCertificate:
    """Inspect a PFX file and take it for this draft; a file brought before is destroyed.

    :raises UnfitCertificate: with the whole report. Nothing is kept then, and the draft stays as it was.
    :raises Outpaced: when the job is no draft any more.
    """
    _still_a_draft(job, by)
    organization = Organization.objects.select_related("deployment", "scope").get(scope=job.scope)
    certificate = upload_certificate(organization, pfx, password, by=by)
    _take(job, certificate, by=by)
    return certificate


def use_stored_certificate(
    job: Job, reading: Reading, thumbprint: str, *, by: Person
) -> TokenCertificate:
    """Take a certificate that is on the servers already, as they were last read.

    :raises BadInput: when the reading has no such certificate, or it has ended.
    """
    _still_a_draft(job, by)
    organization = Organization.objects.select_related("deployment", "scope").get(scope=job.scope)
    rows = reading.facts.get("certificates")
    found = (
        next((row for row in rows if row["thumbprint"] == thumbprint), None)
        if isinstance(rows, list)
        else None
    )
    if found is None:
        raise BadInput(
            "This certificate was not on the servers when they were last read.",
            remedy="Look again, then choose.",
            field="thumbprint",
        )
    stored = StoredCertificate(
        found["thumbprint"],
        found["sha256"],
        found["subject"],
        found["issuer"],
        base64.b64decode(found["raw"]),
    )
    certificate = choose_certificate(organization, stored, by=by)
    _take(job, certificate, by=by)
    return certificate


def run_checks(job: Job, options: Mapping[str, Any], answers: list[Answer], *, by: Person) -> Job:
    """Keep what was chosen and answered, and have a worker run the checks: all of it, or nothing.

    :param options: inputs of the plan kind, such as the pilot mailbox.
    """
    organization = Organization.objects.select_related("scope").get(scope=job.scope)
    with transaction.atomic():
        for answer in answers:
            record_answer(
                organization,
                answer.question,
                answer.answer,
                by=by,
                remark=answer.remark,
                ticket=answer.ticket,
            )
        return jobs.ask_for_checks(save_options(job, options, by=by), by=by)


def save_options(job: Job, options: Mapping[str, Any], *, by: Person) -> Job:
    """Keep what was chosen. A plan that is there stays where nothing was changed."""
    if all(job.inputs.get(name) == value for name, value in options.items()):
        return job
    return jobs.change_inputs(job, by=by, **options)


def _still_a_draft(job: Job, by: Person) -> None:
    """Say so before a file is inspected and sealed, not after it."""
    if job.requester_id != by.pk:
        raise NotAllowed(f"{job.name} is the request of {job.requester}.")
    if job.state not in EDITABLE:
        raise Outpaced(
            f"{job.name} is no draft any more.", remedy="Reload the page and read what it says now."
        )


@transaction.atomic
def _take(job: Job, certificate: TokenCertificate, *, by: Person) -> None:
    before = job.inputs.get("certificate")
    jobs.change_inputs(job, by=by, certificate=certificate.pk)
    if before:
        _destroy_unused(int(before), by)


def _destroy_unused(certificate: int, by: Person) -> None:
    """A key file that its draft no longer names would wait for the end of a job that never comes."""
    still_used = Job.objects.filter(inputs__certificate=certificate).unfinished().exists()
    if still_used:
        return
    kept = TokenCertificate.objects.get(pk=certificate)
    ids = [pk for pk in (kept.pfx_id, kept.pfx_password_id) if pk is not None]
    destroy_secrets(list(Secret.objects.filter(pk__in=ids, destroyed_at=None)), by=by)
