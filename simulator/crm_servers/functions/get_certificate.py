"""Get-SssCertificate: the certificates with a private key in LocalMachine\\My, archived ones too."""

from __future__ import annotations

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Look
from simulator.crm_servers.parameters import Parameter
from simulator.crm_servers.shapes import certificate_shape
from simulator.crm_servers.twins import add_twin

AT_MOST = 200


def _run(call: Call) -> Json:
    wanted = call.text("Thumbprint")
    if call.is_dialled("twin_subject") and call.server.certificates:
        add_twin(call.server, call.server.certificates[0])
    found = [
        certificate
        for certificate in call.server.certificates
        if certificate.has_private_key and wanted in ("", certificate.thumbprint)
    ]
    if wanted and not found:
        raise Refusal("CertificateNotFound", "No certificate with this thumbprint has a key here.")
    if len(found) > AT_MOST:
        call.warnings.append(f"Only the first {AT_MOST} of {len(found)} certificates are listed.")
    return {
        "Certificates": [
            certificate_shape(certificate, call.server, call.deployment)
            for certificate in found[:AT_MOST]
        ]
    }


GET_CERTIFICATE = Look(
    "Get-SssCertificate", (Parameter("Thumbprint", "string", pattern="[0-9A-F]{40}"),), _run
)
