"""Take a certificate over: inspected, its facts kept, key file and password sealed."""

from __future__ import annotations

from cryptography import x509
from django.db import transaction

from portal.access.models import Person, Role
from portal.access.roles import demand
from portal.audit.record import record
from portal.errors import BadInput
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from sync_setup.gateways.contract import Certificate
from sync_setup.inspection.inspector import inspect_pfx
from sync_setup.inspection.report import Report
from sync_setup.models import Organization, TokenCertificate


def upload_certificate(
    organization: Organization, pfx: bytes, password: str, *, by: Person
) -> TokenCertificate:
    """Inspect a PFX file; keep its facts, and seal file and password for the workers.

    :raises NotAllowed: without the requester role for this organization.
    :raises BadInput: when it is not fit, with the first reason and its fix. Nothing is kept then.
    """
    demand(by, Role.REQUESTER, organization.scope)
    report = inspect_pfx(pfx, password)
    refuse_unfit(report)
    return _keep_upload(organization, pfx, password, report, by=by)


def refuse_unfit(report: Report) -> None:
    """Stop when the inspector rejects.

    :raises BadInput: naming every reason.
    """
    if report.is_fit:
        return
    messages = [message for message in report.messages if message.severity == "reject"]
    raise BadInput(
        " ".join(f"{message.title}." for message in messages),
        remedy="\n".join(message.fix for message in messages),
        code=f"SSS-CERT-{report.codes[0].upper().replace('_', '-')}",
        field="pfx",
    )


@transaction.atomic
def _keep_upload(
    organization: Organization, pfx: bytes, password: str, report: Report, *, by: Person
) -> TokenCertificate:
    scope = organization.scope
    assert report.not_before and report.not_after  # noqa: S101 -- a fit certificate has both
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
    organization: Organization, found: Certificate, *, by: Person
) -> TokenCertificate:
    """Take a certificate that is on the servers already; no private key passes through the portal.

    :param found: as a server told it.
    """
    demand(by, Role.REQUESTER, organization.scope)
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
