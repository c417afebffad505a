"""Set-SssCertificateState: archive a certificate, bring it back, or remove it with its key."""

from __future__ import annotations

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions.tools import require_deployment_service
from simulator.crm_servers.parameters import THUMBPRINT, Parameter
from simulator.crm_servers.shapes import certificate_shape
from simulator.crm_servers.stored_certificate import StoredCertificate

STATES = ("Active", "Archived", "Absent")


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        thumbprint, wanted = call.text("Thumbprint"), call.text("State")
        certificate = call.server.certificate(thumbprint)
        current, before = _state(certificate), _shown(call, certificate)
        if current == wanted:
            return Outcome(False, before, before)
        if certificate is None:
            raise Refusal("CertificateNotFound", "No certificate with this thumbprint is here.")
        if current != call.text("ExpectState"):
            raise Refusal("UnexpectedState", f"The certificate is {current}.")
        if wanted != "Active":
            _require_unused(call, certificate)
        if wanted == "Absent" and not certificate.installed_by_portal:
            raise Refusal("NotOurs", "This certificate was not installed by this portal.")

        def change() -> Json:
            if wanted == "Absent":
                call.server.certificates.remove(certificate)
            certificate.archived = wanted == "Archived"
            return _shown(call, call.server.certificate(thumbprint))

        call.effect("certificate.state", thumbprint, before, change)
        return Outcome(True, before, _shown(call, call.server.certificate(thumbprint)))


def _state(certificate: StoredCertificate | None) -> str:
    if certificate is None:
        return "Absent"
    return "Archived" if certificate.archived else "Active"


def _shown(call: Call, certificate: StoredCertificate | None) -> Json:
    shape = certificate_shape(certificate, call.server, call.deployment) if certificate else None
    return {"State": _state(certificate), "Certificate": shape}


def _require_unused(call: Call, certificate: StoredCertificate) -> None:
    if certificate.iis_bindings:
        raise Refusal("InUse", f"IIS serves {certificate.iis_bindings[0]} with it.")
    if "DeploymentTools" not in call.server.roles:
        return
    try:
        require_deployment_service(call)
    except Refusal as refusal:
        if call.text("State") == "Absent":
            raise
        # Archiving can be undone, so what could not be asked is only said.
        call.warnings.append(f"Whether it is the token issuer is not known: {refusal.message}")
        return
    issuer = call.deployment.token_issuer
    if issuer is not None and issuer.thumbprint == certificate.thumbprint:
        raise Refusal("InUse", "It is the deployment's token issuer.")


SET_CERTIFICATE_STATE = Change(
    "Set-SssCertificateState",
    "server",
    (
        THUMBPRINT,
        Parameter("State", "string", mandatory=True, choices=STATES),
        Parameter("ExpectState", "string", mandatory=True, choices=STATES),
    ),
    _run,
)
