"""CertificateReconfiguration.ps1 as the other way to install: what can go wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.crm_servers.answers import Refusal
from simulator.crm_servers.call import Call
from simulator.crm_servers.stored_certificate import KeyReader, StoredCertificate
from simulator.deployment import Service

WINDOWS_SIDS = ("S-1-5-18", "S-1-5-32-544")


def run_script(call: Call, services: Sequence[Service]) -> None:
    """Run the script as far as it decides whether anything is installed.

    :raises Refusal: BadParameter (it must grant the key to somebody), ScriptMissing,
        ScriptUntrusted, ScriptFailed.
    """
    server = call.server
    if not services:
        raise Refusal("BadParameter", "ProductScript needs at least one role in GrantRead.")
    if not server.script_present:
        raise Refusal("ScriptMissing", "CertificateReconfiguration.ps1 is not on this server.")
    if server.script_signature != "Valid":
        raise Refusal("ScriptUntrusted", f"Its signature is {server.script_signature}.")
    if call.is_dialled("script_killed"):

        def leave_file() -> int:
            server.transfer_files += 1
            return server.transfer_files

        call.effect(
            "server.transferFiles", server.name, server.transfer_files, leave_file, is_setting=False
        )
        raise Refusal("ScriptFailed", "The script was ended before it was done.", "Unknown")
    if call.is_dialled("script_fails"):
        raise Refusal("ScriptFailed", "The script ended with an error.")


def dropped_readers(
    call: Call, certificate: StoredCertificate, services: Sequence[Service]
) -> list[KeyReader]:
    """The foreign entries that the script's import dropped and the module has put back."""
    if not call.is_dialled("script_drops_readers"):
        return []
    own = {service.account.casefold() for service in services}
    return [
        reader
        for reader in certificate.key_readers
        if reader.sid not in WINDOWS_SIDS and reader.account.casefold() not in own
    ]
