"""The chosen certificate and the stores of the CRM servers: is it there, usable, unambiguous, trusted?"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from portal.jobs.checks import Found
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed, short
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import CERTIFICATE, SetupCheck
from sync_setup.gateways.contract import Certificate
from sync_setup.models import CrmServer, TokenCertificate

_REIMPORT = "On {}, import it anew: certutil -importpfx FILE.pfx AT_KEYEXCHANGE"
# GUESS: names as .NET's X509ChainStatusFlags writes them; others say nothing about trust.
_NOT_TRUSTED = frozenset({"UntrustedRoot", "PartialChain", "NotSignatureValid"})


class CertificateKey(SetupCheck):
    """The private key can be had: from the uploaded file, or it is on every server that needs it."""

    key = "certificate-key"
    title = "The private key is at hand for every server"
    group = CERTIFICATE
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        context, findings = seen.context, Findings()
        certificate = seen.certificate
        lacking = []
        for server, found, _ in _stores(seen):
            state = "not there" if found is None else "archived" if found.archived else "there"
            findings.evidence[server.name] = state
            if state != "there":
                lacking.append(server.name)
        if not lacking:
            return findings.found("Every server has the certificate with its private key.")
        if certificate.source == TokenCertificate.Source.SERVERS:
            findings.block(
                f"{listed(lacking)} cannot use the certificate that is to come from the servers",
                f"On {listed(lacking)}, import it with its private key into LocalMachine\\My: "
                "certutil -importpfx FILE.pfx AT_KEYEXCHANGE",
                "If it is there and archived, make it visible again in its properties.",
                "Or upload the PFX file here; then the portal installs it.",
            )
        elif len(context.job_secrets()) < 2:
            findings.block(
                f"the key file is gone, and {listed(lacking)} does not have the certificate",
                "Upload the PFX file again: key files are destroyed a day after their job.",
            )
        return findings.found(f"The key file is sealed, and goes to {listed(lacking)}.")


class CertificateKeySpec(SetupCheck):
    """Where the certificate is on a server already, its key is of the kind that CRM can sign with."""

    key = "certificate-key-spec"
    title = "The private key has KeySpec 1, in a CSP"
    group = CERTIFICATE
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        for server, found, _ in _stores(seen):
            if found is None:
                continue
            findings.evidence[server.name] = (
                f"{found.key_storage}, KeySpec {found.key_spec}, {found.provider_name}"
            )
            fix = _REIMPORT.format(server.name)
            if found.key_storage == "Unreadable":
                findings.block(f"{server.name} cannot read the private key", fix)
            elif found.key_storage != "Csp":
                findings.block(f"{server.name} keeps the key in CNG, where it has no KeySpec", fix)
            elif found.key_spec != 1:
                findings.block(f"the key on {server.name} has KeySpec {found.key_spec}, not 1", fix)
            elif found.exportable:
                findings.warn(
                    f"the key on {server.name} can be exported by its administrators",
                    f"On {server.name}, import it anew as not exportable: "
                    "certutil -importpfx FILE.pfx AT_KEYEXCHANGE,NoExport",
                )
        if not findings.evidence:
            return findings.found(
                "It is on no server yet; the installation gives it KeySpec 1 and proves it."
            )
        return findings.found("The key has KeySpec 1 wherever the certificate is.")


class SubjectUnambiguous(SetupCheck):
    """CRM finds its certificate by the subject: a second one with the same subject may be taken instead."""

    key = "certificate-subject"
    title = "No other certificate on a server has this subject"
    group = CERTIFICATE
    source = sources.SET_CRM_CERTIFICATE

    def judge(self, seen: Readings) -> Found:
        certificate, findings = seen.certificate, Findings()
        subject = _subject(bytes(certificate.public_der))
        findings.evidence["subject"] = certificate.subject
        for server, _, stored in _stores(seen):
            others = [
                f"{short(row.thumbprint)}{' (ended)' if row.not_after < seen.now else ''}"
                for row in stored
                if not row.archived
                and row.thumbprint != certificate.thumbprint
                and _subject(row.raw) == subject
            ]
            findings.evidence[server.name] = others
            if others:
                findings.block(
                    f"{server.name} has {listed(others)} with the subject {certificate.subject} too",
                    "Request a certificate with a subject of its own, such as "
                    f"CN=crm-s2s-{seen.now.year}, and choose that one.",
                    f"Or archive {listed(others)} on {server.name}, if nothing uses it: it must not "
                    "be the present token issuer.",
                )
        return findings.found("No server has another certificate with this subject.")


class CertificateChain(SetupCheck):
    """The servers trust whoever issued the certificate."""

    key = "certificate-chain"
    title = "The servers trust the certificate's issuer"
    group = CERTIFICATE
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        certificate, findings = seen.certificate, Findings()
        leaf = x509.load_der_x509_certificate(bytes(certificate.public_der))
        if leaf.subject == leaf.issuer:
            findings.evidence["issuer"] = "itself"
            findings.warn(
                "it is self-signed, which Microsoft recommends for evaluation only",
                "For production, request a certificate from your certification authority.",
            )
            return findings.found("")
        findings.evidence["issuer"] = certificate.issuer
        for server, found, stored in _stores(seen):
            witness = found or _from_same_issuer(leaf, stored)
            fix = (
                f"On {server.name}, import root and intermediates of {certificate.issuer} into the "
                "stores of LocalMachine (Root, CA)."
            )
            if witness is None:
                findings.evidence[server.name] = "nothing of this issuer is there yet"
                findings.warn(
                    f"whether {server.name} trusts the issuer shows only after the import", fix
                )
            elif faults := sorted(_NOT_TRUSTED & set(witness.chain_status)):
                findings.evidence[server.name] = faults
                findings.block(f"{server.name} does not trust the issuer ({listed(faults)})", fix)
            else:
                findings.evidence[server.name] = f"trusts the chain of {short(witness.thumbprint)}"
        return findings.found("Every server that signs trusts the issuer.")


def _stores(
    seen: Readings,
) -> Iterator[tuple[CrmServer, Certificate | None, tuple[Certificate, ...]]]:
    """Give each server that signs, the chosen certificate there, and its whole store."""
    thumbprint = seen.certificate.thumbprint
    for server in seen.key_servers:
        stored = seen.certificates(server)
        yield server, next((row for row in stored if row.thumbprint == thumbprint), None), stored


def _subject(der: bytes) -> x509.Name:
    # Compared as names, not as text: Windows writes their parts in another order.
    return x509.load_der_x509_certificate(der).subject


def _from_same_issuer(
    leaf: x509.Certificate, stored: tuple[Certificate, ...]
) -> Certificate | None:
    """Give a certificate of the same issuer, whose chain tells of the issuer's."""
    for row in stored:
        if x509.load_der_x509_certificate(row.raw).issuer == leaf.issuer:
            return row
    return None
