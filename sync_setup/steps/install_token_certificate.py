from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509

from portal.errors import NotFound
from portal.jobs.step import Gap, Look, Order, Planned, Step, Value
from sync_setup.context import SetupContext
from sync_setup.gateways.contract import Certificate, ReaderRole, Server
from sync_setup.gateways.crm_server import CrmServer as ServerGateway
from sync_setup.gateways.identifiers import Sha256, Thumbprint
from sync_setup.inspection.rewrapping import rewrap
from sync_setup.models import CrmServer, TokenCertificate

INSTALLED = "installed, KeySpec 1"
_SYSTEM_SIDS = ("S-1-5-18", "S-1-5-32-544")  # SYSTEM and Administrators, on every key file


class InstallTokenCertificate(Step[SetupContext]):
    """Put the certificate with its key on every CRM server, and let both service accounts read the key.

    The key file travels once, re-wrapped with a password made for this one transport; the server
    imports it in memory, as not exportable. It resolves the accounts by their role itself, so that no
    personal account can be named. A certificate that is on the servers already only gets its readers.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, "Set up server-based authentication"
    """

    key = "install-token-certificate"
    title = "Install the certificate and let the CRM services read its key"
    group = "CRM servers"
    system = "CRM servers"
    undo = "The certificate and the read rights this plan adds are removed, once the token issuer is back."
    settle_s = 30.0

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [server.resource for server in context.servers]

    def look(self, context: SetupContext, mark: Any) -> Look:
        certificate = context.chosen_certificate()
        fields: dict[str, Value] = {}
        shown: dict[str, Any] = {}
        for server in self._targets(context):
            door = context.server(server)
            facts = door.get_server()
            stored = door.get_certificates()
            found = next((row for row in stored if row.thumbprint == certificate.thumbprint), None)
            fields[f"{server.name}: certificate"] = _standing(found)
            fields[f"{server.name}: key readers"] = _readers(found)
            fields[f"{server.name}: found by this subject"] = _found(found, stored, certificate)
            shown[server.name] = {
                "accounts": dict(_accounts(facts)),
                "provider": found.provider_name if found else "",
                "chain": "complete" if found and found.chain_ok else "",
            }
        return Look(fields, shown)

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        thumbprint = context.chosen_certificate().thumbprint
        wanted: dict[str, Value] = {}
        for name, facts in look.shown.items():
            accounts = set(facts["accounts"].values())
            wanted[f"{name}: certificate"] = INSTALLED
            before = set(look.fields[f"{name}: key readers"])
            wanted[f"{name}: key readers"] = sorted(before | accounts)
            found = set(look.fields[f"{name}: found by this subject"])
            wanted[f"{name}: found by this subject"] = sorted(found | {thumbprint})
        return wanted

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        certificate = context.chosen_certificate()
        for name in sorted({field.partition(":")[0] for field in gaps}):
            server = context.server_named(name)
            door = context.server(server)
            roles = tuple(sorted(_accounts(door.get_server())))
            if f"{name}: certificate" in gaps:
                order.log(
                    f"{name}: installs …{certificate.thumbprint[-4:]}, readable for {', '.join(roles)}"
                )
                self._install(context, certificate, door, server, roles, order)
            else:
                order.log(f"{name}: lets {', '.join(roles)} read the key")
                door.set_key_reader(
                    context.server_order(order, f"{server.name} readers"),
                    thumbprint=Thumbprint(certificate.thumbprint),
                    roles=roles,
                    access="Read",
                )

    def _install(
        self,
        context: SetupContext,
        certificate: TokenCertificate,
        door: ServerGateway,
        server: CrmServer,
        roles: tuple[ReaderRole, ...],
        order: Order,
    ) -> None:
        if certificate.pfx is None:
            raise NotFound(
                f"{server.name} does not have the certificate, and no key file was uploaded.",
                remedy=f"Install it on {server.name}, or upload the PFX file in a new job.",
                code="SSS-CERTIFICATE-NOT-THERE",
            )
        pfx, password = rewrap(
            context.open(certificate.pfx).reveal(), context.open(certificate.pfx_password).text()
        )
        door.install_certificate(
            context.server_order(order, f"{server.name} certificate"),
            pfx=pfx,
            transport_password=password,
            thumbprint=Thumbprint(certificate.thumbprint),
            sha256=Sha256(certificate.sha256),
            grant_read=roles,
        )

    def _targets(self, context: SetupContext) -> list[CrmServer]:
        """Every server that Get-CrmServer names with a role that reads the key.

        :raises NotFound: when the portal does not know one of them.
        """
        listed = context.tools.get_deployment().servers
        return [
            context.server_named(server.name)
            for server in sorted(listed, key=lambda row: row.name)
            if {"Async", "WebApplication"} & set(server.roles)
        ]


def _standing(found: Certificate | None) -> str | None:
    if found is None:
        return None
    if found.archived:
        return "archived"
    if not found.has_private_key or found.key_storage != "Csp":
        return f"installed, key storage {found.key_storage}"
    return f"installed, KeySpec {found.key_spec}"


def _readers(found: Certificate | None) -> list[str]:
    readers = found.key_readers if found else ()
    return sorted({reader.account for reader in readers if reader.sid not in _SYSTEM_SIDS})


def _found(
    found: Certificate | None, stored: Sequence[Certificate], certificate: TokenCertificate
) -> list[str]:
    """Thumbprints the product's own search by this subject gives on this server."""
    if found is not None:
        return sorted(found.found_by_subject)
    der = bytes(certificate.public_der)
    alike = [row for row in stored if _same_subject(row.raw, der) and not row.archived]
    return sorted({thumbprint for row in alike for thumbprint in row.found_by_subject})


def _same_subject(one: bytes, other: bytes) -> bool:
    # Compared as DER: the two sides write distinguished names differently as text.
    first, second = x509.load_der_x509_certificate(one), x509.load_der_x509_certificate(other)
    return first.subject == second.subject


def _accounts(server: Server) -> dict[ReaderRole, str]:
    """The accounts that must read the key on this server, by the role that resolves to them."""
    accounts: dict[ReaderRole, str] = {}
    for service in (*server.services, *server.app_pools):
        if service.service == "Async":
            accounts["AsyncService"] = service.account
        elif service.service == "WebApplicationPool":
            accounts["WebApplication"] = service.account
    return accounts
