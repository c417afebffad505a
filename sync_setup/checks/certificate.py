"""Is the chosen certificate fit to sign tokens, today?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.jobs.checks import Found
from sync_setup import ews
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, counted, short
from sync_setup.checks.readings import CHOOSE_CERTIFICATE, Readings
from sync_setup.checks.setup_check import CERTIFICATE, SetupCheck
from sync_setup.inspection.inspector import inspect_public
from sync_setup.models import TokenCertificate

# Judged by a check of their own, with more days.
_ABOUT_DATES = frozenset({"expired", "not_yet_valid", "expires_soon"})
LEAST_DAYS, FEW_DAYS = 30, 90


class CertificateFit(SetupCheck):
    """A certificate is chosen, and it may sign: the inspection of the upload, and the same again now."""

    key = "certificate-fit"
    title = "The certificate is chosen and fit"
    group = CERTIFICATE
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        certificate, findings = seen.context.certificate, Findings()
        if certificate is None:
            findings.block("no certificate is chosen", CHOOSE_CERTIFICATE)
            return findings.found("")
        report = inspect_public(bytes(certificate.public_der), at=seen.now)
        told = {message.code for message in report.messages} | _ABOUT_DATES
        for message in report.messages:
            if message.code in _ABOUT_DATES:
                continue
            if message.severity == "reject":
                findings.block(message.title, message.fix)
            elif message.severity == "warn":
                findings.warn(message.title, message.fix)
        for kept in _kept_warnings(certificate):
            if kept["code"] not in told:
                findings.warn(kept["title"], kept["fix"])
        findings.evidence = {
            "certificate": certificate.thumbprint,
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "key": f"{report.key_type} {report.key_bits}",
            "signature": report.signature,
            "comes from": certificate.get_source_display(),
        }
        if certificate.report:
            findings.evidence["inspection of the file"] = certificate.report.get("verdict")
        return findings.found(f"{certificate.subject} may sign the tokens.")


class CertificateValidity(SetupCheck):
    """Enough of its time is left: replacing it is the whole work again."""

    key = "certificate-validity"
    title = "The certificate is valid for long enough"
    group = CERTIFICATE
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        certificate, findings = seen.certificate, Findings()
        left = certificate.not_after - seen.now
        renew = "Request a certificate that lasts longer, and choose it here."
        until = f"{certificate.not_after:%Y-%m-%d}"
        outlasts = certificate.not_after.date() >= ews.END.on
        findings.evidence = {
            "valid from": f"{certificate.not_before:%Y-%m-%d}",
            "valid until": until,
            "days left": max(0, left.days),
            "outlasts EWS": outlasts,
        }
        if certificate.not_before > seen.now:
            starts = f"{certificate.not_before:%Y-%m-%d %H:%M} UTC"
            findings.block(
                f"it is valid only from {starts}",
                f"Check again after {starts}, or choose another certificate.",
            )
        elif left <= timedelta():
            findings.block(f"it ended on {until}", renew)
        elif left < timedelta(days=LEAST_DAYS):
            findings.block(f"it ends on {until}, in {counted(left.days, 'day')}", renew)
        elif left < timedelta(days=FEW_DAYS) and not outlasts:
            # One that outlasts EWS never has to be replaced, however soon that is.
            findings.warn(f"it ends on {until}, in {left.days} days, before EWS does", renew)
        return findings.found(f"{short(certificate.thumbprint)} is valid until {until}.")


def _kept_warnings(certificate: TokenCertificate) -> list[dict[str, Any]]:
    """What the inspection of an uploaded file warned of; a file's own faults show there alone."""
    messages: list[dict[str, Any]] = certificate.report.get("messages", [])
    return [message for message in messages if message["severity"] == "warn"]
