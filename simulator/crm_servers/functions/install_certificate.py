"""Install-SssCertificate: import a PFX, let the services read its key, verify what came out of it."""

from __future__ import annotations

from typing import cast

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions import readers
from simulator.crm_servers.functions.product_script import dropped_readers, require_script
from simulator.crm_servers.key_import import imported, unusable
from simulator.crm_servers.opened_pfx import NotAPfx, WrongPassword, open_pfx
from simulator.crm_servers.parameters import THUMBPRINT, Parameter, Secret
from simulator.crm_servers.shapes import certificate_shape, reader_shape
from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate
from simulator.crm_servers.twins import add_twin
from simulator.deployment import Service

ROLES = ("AsyncService", "WebApplication")


def _run(call: Call) -> Outcome:
    opened = _opened(call)
    call.pipeline.wait(call.setting("install_seconds", 0.0))
    with call.machine.world.lock:
        services = readers.accounts_of(call.server, call.texts("GrantRead"))
        if call.is_dialled("twin_subject"):
            add_twin(call.server, opened)
        present = call.server.certificate(opened.thumbprint)
        if present is None:
            return _install(call, opened, services)
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


def _install(call: Call, certificate: StoredCertificate, services: list[Service]) -> Outcome:
    server = call.server
    twins = server.found_by_subject(certificate.subject)
    if twins and not call.flag("AllowSameSubject"):
        raise Refusal("SubjectAmbiguous", f"{twins[0].thumbprint} has the same subject.")
    if call.text("Method") == "ProductScript":
        require_script(call)
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
    """It is here already: only entries that are missing are added."""
    before = _shown(call, present)
    if present.archived:
        raise Refusal("UnexpectedState", "The certificate is here, but archived.")
    if why := unusable(present):
        raise Refusal("CertificateUnusable", f"It is here already, and unusable: {why}.")
    restored: list[KeyReader] = []
    if call.text("Method") == "ProductScript":
        require_script(call)
        restored = dropped_readers(call, present, services)
    added = readers.missing(present, services)
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
