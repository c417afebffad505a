"""What an import into the machine store makes of a PFX: provider, KeySpec, first readers."""

from __future__ import annotations

import copy
import datetime

from simulator.crm_servers.default_deployment import SYSTEM_READERS
from simulator.crm_servers.opened_pfx import OpenedPfx
from simulator.crm_servers.stored_certificate import CNG, CSP, StoredCertificate

PROVIDER_TYPES = {
    CSP: 24,
    "Microsoft RSA SChannel Cryptographic Provider": 12,
    "Microsoft Strong Cryptographic Provider": 1,
    "Microsoft Enhanced Cryptographic Provider v1.0": 1,
    "Microsoft Base Cryptographic Provider v1.0": 1,
}
# GUESS: with MachineKeySet and no provider attribute .NET imports an RSA key into this provider.
DEFAULT_PROVIDER = "Microsoft Enhanced Cryptographic Provider v1.0"


def imported(pfx: OpenedPfx, *, as_cng: bool) -> StoredCertificate:
    """The certificate as it would stand in LocalMachine\\My, not exportable.

    :param as_cng: the host imports into a key storage provider whatever the file says.
    """
    certificate = StoredCertificate.from_der(pfx.certificate_der)
    provider = pfx.provider or DEFAULT_PROVIDER
    certificate.installed_by_portal = True
    certificate.key_readers = [copy.copy(reader) for reader in SYSTEM_READERS]
    if as_cng or certificate.key_algorithm != "RSA" or provider not in PROVIDER_TYPES:
        certificate.key_storage, certificate.key_spec = "Cng", 0
        certificate.provider_type = 0
        certificate.provider_name = provider if provider not in PROVIDER_TYPES else CNG
    else:
        certificate.key_spec = pfx.key_spec
        certificate.provider_name = provider
        certificate.provider_type = PROVIDER_TYPES[provider]
    return certificate


def unusable(certificate: StoredCertificate) -> str:
    """Why CRM could not sign with this key; '' where it can.

    :source: connect-dynamics-365-on-premises-exchange-online.md asks for KeySpec 1; with CNG CRM says
        "Invalid provider type specified".
    """
    if not certificate.has_private_key or certificate.key_storage != "Csp":
        return f"its key is kept by {certificate.provider_name or 'no provider'}, not by a CSP"
    if certificate.key_spec != 1:
        return f"KeySpec is {certificate.key_spec}, not 1 (AT_KEYEXCHANGE)"
    now = datetime.datetime.now(datetime.UTC)
    if datetime.datetime.fromisoformat(certificate.not_after) < now:
        return f"it ended at {certificate.not_after}"
    return ""
