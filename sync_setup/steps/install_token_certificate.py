from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509

from portal.errors import NotFound
from portal.jobs.step import Done, Gap, Look, Order, Planned, Value
from sync_setup import key_readers
from sync_setup.context import SetupContext
from sync_setup.gateways.contract import Certificate, ReaderRole
from sync_setup.gateways.identifiers import Sha256, Thumbprint
from sync_setup.inspection.rewrapping import rewrap
from sync_setup.models import CrmServer, TokenCertificate
from sync_setup.server_step import Effect, ServerStep
from sync_setup.take_back_certificate import back, foreign, role_of, shown_for_it

INSTALLED = "installed, KeySpec 1"


class InstallTokenCertificate(ServerStep):
    """Put the certificate with its key on every CRM server, and let both service accounts read the key.

    The key file travels once, re-wrapped with a password made for this one transport; the server
    imports it in memory, as not exportable. It resolves the accounts by their role itself, so that no
    personal account can be named; a service that runs as another account than the one that was
    approved stops the step before anything is granted. A certificate that is on the servers already
    only gets its readers.

    Source: Connect Dynamics 365 (on-premises) to Exchange Online, "Set up server-based authentication"
    """

    key = "install-token-certificate"
    title = "Install the certificate and let the CRM services read its key"
    group = "CRM servers"
    system = "CRM servers"
    undo = (
        "A plan of its own can archive the certificate, and take away the read rights this plan adds, "
        "once the token issuer is another one. A certificate that is removed with its key comes back "
        "only from the PFX file."
    )

    takes_back = True
    back_loses = "A certificate that is taken away with its key comes back only from its PFX file: keep that file."
    back_notice = (
        "Nobody, as long as CRM signs with another certificate, which the server makes sure of."
    )

    def resources(self, context: SetupContext) -> Sequence[str]:
        return [server.resource for server in context.servers]

    def look(self, context: SetupContext, mark: Any) -> Look:
        certificate = context.chosen_certificate()
        planned = context.shown_in_plan(self.key)
        fields: dict[str, Value] = {}
        shown: dict[str, Any] = {}
        for server in self._targets(context):
            door = context.server(server)
            accounts = key_readers.accounts_of(door.get_server())
            stored = door.get_certificates()
            found = next((row for row in stored if row.thumbprint == certificate.thumbprint), None)
            names = key_readers.names_of(found, accounts) | _names(planned, server)
            fields[_standing_of(server)] = _standing(found)
            fields[_readers_of(server)] = key_readers.entries(key_readers.readers_of(found), names)
            # The server is told roles only, so it is these accounts that the approver lets read.
            fields[_accounts_of(server)] = key_readers.by_role(accounts, names)
            fields[f"{server.name}: found by this subject"] = _found(found, stored, certificate)
            shown[server.name] = {
                "accounts": {role: sid for role, (sid, _) in accounts.items()},
                "names": names,
                "provider": found.provider_name if found else "",
                "chain": "complete" if found and found.chain_ok else "",
            } | (shown_for_it(found) if context.is_undo else {})
        return Look(fields, shown)

    def wanted(
        self, context: SetupContext, look: Look, earlier: Sequence[Planned]
    ) -> Mapping[str, Value]:
        thumbprint = context.chosen_certificate().thumbprint
        wanted: dict[str, Value] = {}
        for name, facts in look.shown.items():
            wanted[f"{name}: certificate"] = INSTALLED
            before = set(look.fields[f"{name}: key readers"])
            wanted[f"{name}: key readers"] = sorted(before | _needed(facts))
            wanted[f"{name}: accounts of its services"] = look.fields[
                f"{name}: accounts of its services"
            ]
            found = set(look.fields[f"{name}: found by this subject"])
            wanted[f"{name}: found by this subject"] = sorted(found | {thumbprint})
        return wanted

    def effects(self, context: SetupContext, look: Look) -> Sequence[Effect]:
        effects = []
        planned = context.shown_in_plan(self.key)
        for name, facts in look.shown.items():
            server = context.server_named(name)
            installed = look.fields[_standing_of(server)] == INSTALLED
            # An effect holds for the accounts it was ordered for, whoever the service runs as since.
            then = facts | {"accounts": planned.get(name, facts)["accounts"]}
            read = _needed(then) <= set(look.fields[_readers_of(server)])
            effects.append(Effect(server, _install_effect(server), installed))
            effects.append(Effect(server, _readers_effect(server), read))
        return effects

    def change(
        self, context: SetupContext, look: Look, gaps: Mapping[str, Gap], order: Order
    ) -> None:
        certificate = context.chosen_certificate()
        for name in sorted({field.partition(":")[0] for field in gaps}):
            server = context.server_named(name)
            roles = tuple(sorted(look.shown[name]["accounts"]))
            if _standing_of(server) in gaps:
                order.log(
                    f"{name}: installs …{certificate.thumbprint[-4:]}, readable for {', '.join(roles)}"
                )
                self._install(context, certificate, server, roles, order)
            else:
                order.log(f"{name}: lets {', '.join(roles)} read the key")
                context.server(server).set_key_reader(
                    context.server_order(order, _readers_effect(server)),
                    thumbprint=Thumbprint(certificate.thumbprint),
                    roles=roles,
                    access="Read",
                )

    def back(self, context: SetupContext, look: Look, done: Done) -> Mapping[str, Value]:
        return back(look, done, super().back(context, look, done))

    def foreign(self, context: SetupContext, look: Look, done: Done) -> list[str]:
        return sorted({*super().foreign(context, look, done), *foreign(look, done)})

    def back_effects(self, context: SetupContext, look: Look, done: Done) -> Sequence[Effect]:
        effects = []
        for name in look.shown:
            server = context.server_named(name)
            added = set(done.after.get(_readers_of(server)) or []) - set(
                done.before.get(_readers_of(server)) or []
            )
            is_taken = not added & set(look.fields[_readers_of(server)])
            gone = look.fields[_standing_of(server)] is None
            effects.append(Effect(server, _install_effect(server), gone))
            effects.append(Effect(server, _readers_effect(server), is_taken))
        return effects

    def take_back(
        self,
        context: SetupContext,
        look: Look,
        gaps: Mapping[str, Gap],
        order: Order,
        done: Done,
    ) -> None:
        thumbprint = Thumbprint(context.chosen_certificate().thumbprint)
        for name in sorted({field.partition(":")[0] for field in gaps}):
            server = context.server_named(name)
            if _standing_of(server) in gaps:
                order.log(f"{name}: takes …{thumbprint[-4:]} away with its key")
                context.server(server).set_certificate_state(
                    context.server_order(order, _install_effect(server)),
                    thumbprint=thumbprint,
                    state="Absent",
                    expect="Active",
                )
            elif (readers := gaps.get(_readers_of(server))) is not None:
                roles = role_of(set(readers.now) - set(readers.wanted), look.shown[name])
                order.log(f"{name}: {', '.join(roles)} can no longer read the key")
                context.server(server).set_key_reader(
                    context.server_order(order, _readers_effect(server)),
                    thumbprint=thumbprint,
                    roles=roles,
                    access="None",
                )

    def _install(
        self,
        context: SetupContext,
        certificate: TokenCertificate,
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
        context.server(server).install_certificate(
            context.server_order(order, _install_effect(server)),
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
            if key_readers.SERVER_ROLES & set(server.roles)
        ]


def _standing_of(server: CrmServer) -> str:
    return f"{server.name}: certificate"


def _readers_of(server: CrmServer) -> str:
    return f"{server.name}: key readers"


def _accounts_of(server: CrmServer) -> str:
    return f"{server.name}: accounts of its services"


def _install_effect(server: CrmServer) -> str:
    return f"{server.name} certificate"


def _readers_effect(server: CrmServer) -> str:
    return f"{server.name} readers"


def _names(planned: Mapping[str, Any], server: CrmServer) -> dict[str, str]:
    return dict(planned.get(server.name, {}).get("names", {}))


def _needed(facts: Mapping[str, Any]) -> set[str]:
    """Entries of the accounts that must read the key, as the field of readers writes them."""
    return set(key_readers.entries(facts["accounts"].values(), facts["names"]))


def _standing(found: Certificate | None) -> str | None:
    if found is None:
        return None
    if found.archived:
        return "archived"
    if not found.has_private_key or found.key_storage != "Csp":
        return f"installed, key storage {found.key_storage}"
    return f"installed, KeySpec {found.key_spec}"


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
