"""Install-SssCertificate: import a PFX, let the services read its key, verify what came out of it."""

from __future__ import annotations

from typing import cast

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions import readers
from simulator.crm_servers.functions.product_script import dropped_readers, run_script
from simulator.crm_servers.key_import import imported, unusable
from simulator.crm_servers.opened_pfx import NotAPfx, WrongPassword, open_pfx
from simulator.crm_servers.parameters import THUMBPRINT, Parameter, Secret
from simulator.crm_servers.shapes import certificate_shape, reader_shape
from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate
from simulator.crm_servers.twins import add_twin
from simulator.deployment import Service

ROLES = ("AsyncService", "WebApplication")


def _run(call: Call) -> Outcome:
    call.pipeline.wait(call.setting("install_seconds", 0.0))
    with call.machine.world.lock:
        services = readers.accounts_of(call.server, call.texts("GrantRead"))
        present = call.server.certificate(call.text("Thumbprint"))
        if present is None:
            return _install(call, _opened(call), services)
        return _grant(call, present, services)


def _opened(call: Call) -> StoredCertificate:
    """The certificate as the import would leave it, checked against what the caller expects."""
    password = cast(Secret, call.values["TransportPassword"]).text
    try:
        pfx = open_pfx(cast(bytes, call.values["PfxBytes"]), password)
    except NotAPfx as error:
        raise Refusal("CertificateMismatch", "No PFX with a certificate and its key.") from error
    except WrongPassword as error:
        raise Refusal("PasswordWrong", "The transport password does not open the PFX.") from error
    if pfx.key_count != 1:
        raise Refusal("CertificateMismatch", f"The PFX holds {pfx.key_count} keys.")
    certificate = imported(pfx, as_cng=call.is_dialled("imports_as_cng"))
    expected = (call.text("Thumbprint"), call.text("Sha256"))
    if (certificate.thumbprint, certificate.sha256) != expected:
        raise Refusal("CertificateMismatch", "The PFX holds another certificate than expected.")
    return certificate


def _require_only_one(call: Call, certificate: StoredCertificate) -> None:
    """No other live certificate is found by this one's subject, unless the caller allows it."""
    if call.is_dialled("twin_subject"):
        add_twin(call.server, certificate)
    found = call.server.found_by_subject(certificate.subject)
    others = [other.thumbprint for other in found if other.thumbprint != certificate.thumbprint]
    if others and not call.flag("AllowSameSubject"):
        raise Refusal("SubjectAmbiguous", f"{others[0]} has the same subject.")


def _install(call: Call, certificate: StoredCertificate, services: list[Service]) -> Outcome:
    server = call.server
    _require_only_one(call, certificate)
    if call.text("Method") == "ProductScript":
        run_script(call, services)
    # Checked on what the import made; a key that CRM cannot use is taken out again at once, so the
    # store never changes for anybody else.
    if why := unusable(certificate):
        raise Refusal("CertificateUnusable", f"Imported, and removed again: {why}.")
    certificate.key_readers += readers.missing(certificate, services)
    before: Json = {"Present": False, "Certificate": None}

    def change() -> Json:
        server.certificates.append(certificate)
        return _shown(call, certificate)

    call.effect("certificate.install", certificate.thumbprint, before, change)
    return Outcome(True, before, _after(call, certificate, []))


def _grant(call: Call, present: StoredCertificate, services: list[Service]) -> Outcome:
    """It is here already: the PFX stays closed, only entries that are missing are added."""
    if present.sha256 != call.text("Sha256"):
        raise Refusal("CertificateMismatch", "What is here has another SHA-256.")
    if not present.has_private_key:
        raise Refusal("CertificateUnusable", "It is here without its private key.")
    if present.archived:
        raise Refusal("UnexpectedState", "The certificate is here, but archived.")
    _require_only_one(call, present)
    before = _shown(call, present)
    added = readers.missing(present, services)
    restored: list[KeyReader] = []
    if call.text("Method") == "ProductScript" and (added or unusable(present)):
        run_script(call, services)
        restored = dropped_readers(call, present, services)
    if why := unusable(present):
        raise Refusal("CertificateUnusable", f"It is here already, and unusable: {why}.")
    if added:

        def change() -> Json:
            present.key_readers += added
            return _shown(call, present)

        call.effect("certificate.keyReaders", present.thumbprint, before, change)
    return Outcome(bool(added), before, _after(call, present, restored))


def _shown(call: Call, certificate: StoredCertificate) -> Json:
    shape = certificate_shape(certificate, call.server, call.deployment)
    return {"Present": True, "Certificate": shape}


def _after(call: Call, certificate: StoredCertificate, restored: list[KeyReader]) -> Json:
    return {
        **_shown(call, certificate),
        "Method": call.text("Method"),
        "RestoredReaders": [reader_shape(reader) for reader in restored],
    }


INSTALL_CERTIFICATE = Change(
    "Install-SssCertificate",
    "server",
    (
        Parameter("PfxBytes", "byte[]", mandatory=True, bounds=(1, 102400)),
        Parameter("TransportPassword", "securestring", mandatory=True),
        THUMBPRINT,
        Parameter("Sha256", "string", mandatory=True, pattern="[0-9A-F]{64}"),
        Parameter(
            "GrantRead",
            "string[]",
            mandatory=True,
            choices=ROLES,
            bounds=(0, 2),
            allow_empty=True,
        ),
        Parameter("Method", "string", choices=("Import", "ProductScript"), default="Import"),
        Parameter("AllowSameSubject", "switch"),
    ),
    _run,
    secrets=frozenset({"PfxBytes", "TransportPassword"}),
)
