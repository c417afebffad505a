"""Take a certificate over: inspected, its facts kept, key file and password sealed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from django.db import transaction
from django.utils import timezone

from portal.access.models import Person, Role
from portal.access.roles import demand
from portal.audit.models import Entry
from portal.audit.record import record
from portal.errors import BadInput, NotAllowed
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from sync_setup.inspection.inspector import inspect_pfx
from sync_setup.inspection.report import Report
from sync_setup.models import Organization, TokenCertificate

INSPECTIONS, INSPECTIONS_IN = 10, timedelta(minutes=10)
WRONG_PASSWORDS = 5


class UnfitCertificate(BadInput):
    """The file is not fit to be the token issuer; ``report`` tells every reason with its fix."""

    def __init__(self, report: Report) -> None:
        messages = [message for message in report.messages if message.severity == "reject"]
        super().__init__(
            " ".join(f"{message.title}." for message in messages),
            remedy="\n".join(message.fix for message in messages),
            code=f"SSS-CERT-{report.codes[0].upper().replace('_', '-')}",
            field="pfx",
        )
        self.report = report


@dataclass(frozen=True)
class StoredCertificate:
    """The public facts of a certificate that is on the servers, as they told them.

    :param thumbprint: SHA-1, 40 upper-case hexadecimal digits, as Windows shows it.
    :param raw: the certificate itself (DER), public part only.
    """

    thumbprint: str
    sha256: str
    subject: str
    issuer: str
    raw: bytes


def upload_certificate(
    organization: Organization, pfx: bytes, password: str, *, by: Person
) -> TokenCertificate:
    """Inspect a PFX file; keep its facts, and seal file and password for the workers.

    :raises NotAllowed: without the requester role for this organization.
    :raises UnfitCertificate: when it is not fit, with the whole report. Nothing is kept then.
    """
    demand(by, Role.REQUESTER, organization.scope)
    fingerprint = hashlib.sha256(pfx).hexdigest()
    _limit(by, fingerprint)
    report = inspect_pfx(pfx, password)
    if not report.is_fit:
        _note_refusal(organization, fingerprint, report, by=by)
        raise UnfitCertificate(report)
    return _keep_upload(organization, pfx, password, report, by=by)


def _limit(by: Person, fingerprint: str) -> None:
    """Hold back who tries many files, or many passwords of one.

    :raises NotAllowed: after 10 inspections in 10 minutes, or 5 wrong passwords for one file.
    """
    since = timezone.now() - INSPECTIONS_IN
    tries = Entry.objects.filter(
        actor=by, event__in=("certificate.uploaded", "certificate.refused")
    )
    if tries.filter(at__gt=since).count() >= INSPECTIONS:
        raise NotAllowed(
            f"You have had {INSPECTIONS} files inspected within 10 minutes.",
            remedy="Wait a few minutes, then try again.",
            code="SSS-CERT-TOO-MANY",
        )
    wrong = Entry.objects.filter(
        event="certificate.refused", detail__sha256=fingerprint, detail__wrong_password=True
    )
    if wrong.count() >= WRONG_PASSWORDS:
        raise NotAllowed(
            f"{WRONG_PASSWORDS} wrong passwords were given for this file.",
            remedy="Export the certificate again with a new password.",
            code="SSS-CERT-PASSWORDS",
        )


@transaction.atomic
def _note_refusal(
    organization: Organization, fingerprint: str, report: Report, *, by: Person
) -> None:
    record(
        "certificate.refused",
        organization,
        by=by,
        scope=organization.scope,
        sha256=fingerprint,
        codes=list(report.codes),
        wrong_password="wrong_password_or_damaged" in report.codes,
    )


@transaction.atomic
def _keep_upload(
    organization: Organization, pfx: bytes, password: str, report: Report, *, by: Person
) -> TokenCertificate:
    scope = organization.scope
    assert report.not_before  # noqa: S101 -- a fit certificate has both
    assert report.not_after  # noqa: S101
    certificate = TokenCertificate.objects.create(
        deployment=organization.deployment,
        source=TokenCertificate.Source.UPLOAD,
        thumbprint=report.thumbprint_sha1,
        sha256=report.thumbprint_sha256,
        subject=report.subject,
        issuer=report.issuer,
        not_before=report.not_before,
        not_after=report.not_after,
        public_der=report.der,
        report=report.as_json(),
        pfx=seal_secret(pfx, kind=Secret.Kind.JOB, label="PFX file", by=by, scope=scope),
        pfx_password=seal_secret(
            password.encode(), kind=Secret.Kind.JOB, label="PFX password", by=by, scope=scope
        ),
        uploaded_by=by,
    )
    record(
        "certificate.uploaded", certificate, by=by, scope=scope, thumbprint=certificate.thumbprint
    )
    return certificate


@transaction.atomic
def choose_certificate(
    organization: Organization, found: StoredCertificate, *, by: Person
) -> TokenCertificate:
    """Take a certificate that is on the servers already; no private key passes through the portal.

    :param found: as a server told it.
    :raises BadInput: when its bytes are not those of its thumbprints.
    """
    demand(by, Role.REQUESTER, organization.scope)
    # The approver compares a thumbprint: it must be that of the bytes that Entra ID will be given.
    if hashlib.sha1(found.raw).hexdigest().upper() != found.thumbprint or (  # noqa: S324 -- Windows' thumbprint
        hashlib.sha256(found.raw).hexdigest().upper() != found.sha256
    ):
        raise BadInput(
            "The server's certificate is not the one that its thumbprint names.",
            remedy="Do not use this server until its administrator has looked at its SssPortal module.",
            code="SSS-CERT-MISMATCH",
            field="certificate",
        )
    certificate = x509.load_der_x509_certificate(found.raw)
    kept = TokenCertificate.objects.create(
        deployment=organization.deployment,
        source=TokenCertificate.Source.SERVERS,
        thumbprint=found.thumbprint,
        sha256=found.sha256,
        subject=found.subject,
        issuer=found.issuer,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        public_der=found.raw,
    )
    record("certificate.chosen", kept, by=by, scope=organization.scope, thumbprint=kept.thumbprint)
    return kept
