"""Set-SssKeyReader: let the account of a role read a private key, or take our own entry back."""

from __future__ import annotations

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions import readers
from simulator.crm_servers.functions.install_certificate import ROLES
from simulator.crm_servers.parameters import THUMBPRINT, Parameter
from simulator.crm_servers.shapes import readers_shape
from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate
from simulator.deployment import Service


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        certificate = call.server.certificate(call.text("Thumbprint"))
        if certificate is None:
            raise Refusal("CertificateNotFound", "No certificate with this thumbprint is here.")
        if certificate.key_storage != "Csp" or not certificate.has_private_key:
            raise Refusal("CertificateUnusable", "Its key is not kept by a CSP.")
        services = readers.accounts_of(call.server, call.texts("Role"))
        if call.text("Access") == "Read":
            wanted = certificate.key_readers + readers.missing(certificate, services)
        else:
            wanted = _without(certificate, services)
        before = readers_shape(certificate)
        if wanted == certificate.key_readers:
            return Outcome(False, before, before)

        def change() -> Json:
            certificate.key_readers = wanted
            return readers_shape(certificate)

        call.effect("certificate.keyReaders", certificate.thumbprint, before, change)
        return Outcome(True, before, readers_shape(certificate))


def _without(certificate: StoredCertificate, services: list[Service]) -> list[KeyReader]:
    accounts = {service.account.casefold() for service in services}
    concerned = [r for r in certificate.key_readers if r.account.casefold() in accounts]
    foreign = [reader for reader in concerned if not reader.added_by_portal]
    if foreign:
        raise Refusal("NotOurs", f"The entry of {foreign[0].account} was not added by this portal.")
    return [reader for reader in certificate.key_readers if reader not in concerned]


SET_KEY_READER = Change(
    "Set-SssKeyReader",
    "server",
    (
        THUMBPRINT,
        Parameter("Role", "string[]", mandatory=True, choices=ROLES, bounds=(1, 2)),
        Parameter("Access", "string", mandatory=True, choices=("Read", "None")),
    ),
    _run,
)
