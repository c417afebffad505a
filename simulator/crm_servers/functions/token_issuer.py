"""Set-SssTokenIssuer: which certificate signs CRM's tokens; the public part only."""

from __future__ import annotations

import uuid
from typing import cast

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions.tools import require_deployment_service
from simulator.crm_servers.key_import import unusable
from simulator.crm_servers.parameters import DEPLOYMENT_CREDENTIAL, Parameter
from simulator.crm_servers.shapes import token_issuer_shape
from simulator.crm_servers.stored_certificate import StoredCertificate
from simulator.crm_servers.twins import add_twin
from simulator.deployment import token_issuer_row


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        wanted = None if call.flag("Absent") else _given(call)
        require_deployment_service(call)
        deployment = call.deployment
        if deployment.token_issuer_count > 1:
            count = deployment.token_issuer_count
            raise Refusal("UnexpectedState", f"The deployment has {count} token issuers.")
        current = deployment.token_issuer.thumbprint if deployment.token_issuer else ""
        before: Json = {"TokenIssuer": token_issuer_shape(deployment.token_issuer)}
        if current == (wanted.thumbprint if wanted else ""):
            return Outcome(False, before, before)
        if current != call.text("ExpectThumbprint"):
            raise Refusal("UnexpectedState", f"The token issuer is {current or 'not set'}.")
        if wanted is not None:
            _require_usable(call, wanted)
            if current and call.is_dialled("cannot_update_token_issuer"):
                # GUESS: the cmdlet returns without an error and leaves the row as it was; only
                # reading back shows it.
                raise Refusal("UnexpectedState", f"Read back, the token issuer is {current}.")
        call.effect("deployment.tokenIssuer", "S2STokenIssuer", before, lambda: _set(call, wanted))
        return Outcome(True, before, {"TokenIssuer": token_issuer_shape(deployment.token_issuer)})


def _given(call: Call) -> StoredCertificate:
    try:
        return StoredCertificate.from_der(cast(bytes, call.values["CertificateBytes"]))
    except ValueError as error:
        raise Refusal("BadParameter", "CertificateBytes is no DER certificate.") from error


def _require_usable(call: Call, wanted: StoredCertificate) -> None:
    """What would make CRM fail to find or use the key after the switch."""
    own = call.server.certificate(wanted.thumbprint)
    if own is None or not own.has_private_key:
        raise Refusal("CertificateNotFound", "This server has no such certificate with its key.")
    if own.archived:
        raise Refusal("CertificateUnusable", "It is archived: CRM would not find it.")
    if why := unusable(own):
        raise Refusal("CertificateUnusable", f"{own.thumbprint}: {why}.")
    if call.is_dialled("twin_subject"):
        add_twin(call.server, own)
    found = [other.thumbprint for other in call.server.found_by_subject(own.subject)]
    if found != [own.thumbprint]:
        raise Refusal(
            "SubjectAmbiguous",
            f"A search for its subject finds {len(found)} certificates: {', '.join(found)}.",
        )


def _set(call: Call, wanted: StoredCertificate | None) -> Json:
    deployment = call.deployment
    if wanted is None:
        deployment.token_issuer = None
        deployment.token_issuer_count = max(0, deployment.token_issuer_count - 1)
    else:
        row = deployment.token_issuer
        deployment.token_issuer = token_issuer_row(row.id if row else str(uuid.uuid4()), wanted)
        deployment.token_issuer_count = max(1, deployment.token_issuer_count)
    return {"TokenIssuer": token_issuer_shape(deployment.token_issuer)}


SET_TOKEN_ISSUER = Change(
    "Set-SssTokenIssuer",
    "deployment",
    (
        Parameter(
            "CertificateBytes",
            "byte[]",
            mandatory=True,
            bounds=(1, 16384),
            sets=("Certificate",),
        ),
        Parameter("Absent", "switch", mandatory=True, sets=("Absent",)),
        Parameter(
            "ExpectThumbprint",
            "string",
            mandatory=True,
            pattern="([0-9A-F]{40})?",
            allow_empty=True,
        ),
        DEPLOYMENT_CREDENTIAL,
    ),
    _run,
    secrets=frozenset({"DeploymentCredential"}),
    default_set="Certificate",
)
