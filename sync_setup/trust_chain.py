"""The trust chain of one organization, link by link, as it is now. Reads only."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils.timezone import now

from portal.errors import PortalError
from sync_setup import key_readers
from sync_setup.context import SetupContext
from sync_setup.gateways.contract import Certificate, Deployment, Server
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.identifiers import OrganizationId
from sync_setup.server_profiles import ACTIVE, EXCHANGE_ONLINE_HYBRID, STATE

SOON = timedelta(days=60)


@dataclass
class Link:
    """One link of the chain.

    :ivar state: done, to_do, ends_soon, failing or cannot_check.
    :ivar until: ISO date on which it ends by itself, or None.
    """

    key: str
    title: str
    state: str
    text: str
    until: str | None = None
    detail: dict[str, str] = field(default_factory=dict)


class Chain:
    """The chain of one organization as it is now; what cannot be read is said, not guessed."""

    def __init__(self, context: SetupContext) -> None:
        self.context = context

    @cached_property
    def deployment(self) -> Deployment:
        return self.context.tools.get_deployment(OrganizationId(self.context.organization_id))

    @cached_property
    def servers(self) -> dict[str, Server]:
        return {
            server.name: self.context.server(server).get_server() for server in self.context.servers
        }

    @cached_property
    def stores(self) -> dict[str, tuple[Certificate, ...]]:
        return {
            server.name: self.context.server(server).get_certificates()
            for server in self.context.servers
        }

    @cached_property
    def issued(self) -> dict[str, Certificate]:
        """The token issuer's certificate as each server has it; servers without it are left out."""
        issuer = self.deployment.token_issuer
        found = {}
        for name, stored in self.stores.items():
            for certificate in stored:
                if issuer and certificate.thumbprint == issuer.thumbprint:
                    found[name] = certificate
        return found

    def links(self) -> list[Link]:
        """Look at every link, in the order in which a token is made and believed."""
        asked: list[tuple[str, str, Callable[[], Link]]] = [
            ("token-issuer", "Token issuer in the configuration database", self._issuer),
            ("certificate", "The same certificate on every server", self._certificate),
            ("key-spec", "Private key of the kind CRM can use (KeySpec 1)", self._key_spec),
            ("readers", "Service accounts can read the key", self._readers),
            ("subject", "Found by its subject as the only one", self._subject),
            ("entra-key", "Its public key in Entra ID", self._entra_key),
            ("authorization-server", "Authorization server of the deployment", self._authorization),
            ("tenant-id", "Exchange Online tenant id of the organization", self._tenant_id),
            ("restart", "Services have read the settings", self._restart),
            ("profile", "Email server profile", self._profile),
        ]
        return [self._look(key, title, look) for key, title, look in asked]

    def _look(self, key: str, title: str, look: Callable[[], Link]) -> Link:
        try:
            link = look()
        except PortalError as error:
            return Link(key, title, "cannot_check", f"{error.message} ({error.code})")
        link.key, link.title = key, title
        return link

    def _issuer(self) -> Link:
        issuer = self.deployment.token_issuer
        if issuer is None:
            return _link("to_do", "There is no token issuer yet.")
        ends = min((found.not_after for found in self.issued.values()), default=None)
        return _dated(f"…{issuer.thumbprint[-4:]}", ends)

    def _certificate(self) -> Link:
        if self.deployment.token_issuer is None:
            return _link("to_do", "Follows the token issuer.")
        without = sorted(set(self._needing()) - set(self.issued))
        if without:
            return _link("failing", f"Missing on {', '.join(without)}.")
        ends = min(found.not_after for found in self.issued.values())
        return _dated(f"On {', '.join(sorted(self.issued))}", ends)

    def _needing(self) -> list[str]:
        """Servers with a role that reads the key."""
        roles = key_readers.SERVER_ROLES
        return [name for name, server in self.servers.items() if roles & set(server.roles)]

    def _key_spec(self) -> Link:
        if not self.issued:
            return _link("to_do", "Follows the certificate.")
        wrong = {n: c for n, c in self.issued.items() if c.key_spec != 1 or c.key_storage != "Csp"}
        if wrong:
            words = [f"{n}: KeySpec {c.key_spec}, {c.key_storage}" for n, c in wrong.items()]
            return _link("failing", "; ".join(words))
        return _link("done", f"KeySpec 1 on {', '.join(sorted(self.issued))}")

    def _readers(self) -> Link:
        if not self.issued:
            return _link("to_do", "Follows the certificate.")
        missing, detail = [], {}
        for name, certificate in self.issued.items():
            able = key_readers.readers_of(certificate) | key_readers.SYSTEM_SIDS
            accounts = sorted(
                {(a, s) for s, a in key_readers.accounts_of(self.servers[name]).values()}
            )
            detail[name] = ", ".join(account for account, _ in accounts)
            missing += [f"{account} on {name}" for account, sid in accounts if sid not in able]
        if missing:
            return _link("failing", f"Cannot read: {', '.join(missing)}.", detail)
        return _link("done", "Both service accounts can read it.", detail)

    def _subject(self) -> Link:
        if not self.issued:
            return _link("to_do", "Follows the certificate.")
        several = [
            f"{name}: {len(found.found_by_subject)}"
            for name, found in self.issued.items()
            if tuple(found.found_by_subject) != (found.thumbprint,)
        ]
        if several:
            return _link(
                "failing", f"CRM may pick another: {', '.join(several)} with this subject."
            )
        return _link("done", next(iter(self.issued.values())).subject)

    def _entra_key(self) -> Link:
        issuer = self.deployment.token_issuer
        if issuer is None:
            return _link("to_do", "Follows the token issuer.")
        keys = self.context.graph.key_credentials(self.context.graph.service_principal().id)
        for key in keys:
            if key.thumbprint == issuer.thumbprint:
                return _dated(f"Key …{issuer.thumbprint[-4:]}", key.ends_at)
        return _link("failing", f"Entra ID does not know …{issuer.thumbprint[-4:]}.")

    def _authorization(self) -> Link:
        cloud, found = self.context.cloud, self.deployment
        wanted = (cloud.authorization_principal_id, cloud.metadata_url)
        now_set = (found.authorization_principal_id, found.authorization_metadata_url)
        detail = {"principal id": now_set[0] or "not set", "metadata": now_set[1] or "not set"}
        if now_set == wanted:
            return _link("done", cloud.title, detail)
        return _link("failing" if any(now_set) else "to_do", "Not as this cloud needs it.", detail)

    def _tenant_id(self) -> Link:
        wanted = str(self.context.tenant.tenant_id)
        found = next(
            (
                row.s2s_tenant_id
                for row in self.deployment.organizations
                if row.id == self.context.organization_id
            ),
            None,
        )
        if found == wanted:
            return _link("done", wanted)
        return _link("failing" if found else "to_do", f"It is {found or 'not set'}.")

    def _restart(self) -> Link:
        waiting = []
        for name, server in self.servers.items():
            for service in server.services:
                if service.service not in ("Async", "AsyncMaintenance"):
                    continue
                if service.state != "Running":
                    return _link("failing", f"{service.name} on {name} is {service.state}.")
                changed, started = server.last_change_at, service.started_at
                if changed and started and started < changed:
                    waiting.append(f"{service.name} on {name}")
        if waiting:
            return _link("to_do", f"Restart due: {', '.join(waiting)}.")
        return _link("done", "All run, and started after the last change.")

    def _profile(self) -> Link:
        fitting = [
            row
            for row in self.profiles
            if row.fields.get("servertype") == EXCHANGE_ONLINE_HYBRID
            and row.fields.get(STATE) == ACTIVE
        ]
        if not fitting:
            return _link("to_do", "No active profile of the kind Exchange Online (Hybrid).")
        return _link("done", ", ".join(str(row.fields.get("name")) for row in fitting))

    @cached_property
    def profiles(self) -> tuple[Record, ...]:
        return self.context.dynamics.server_profiles()

    def certificates(self) -> list[dict[str, Any]]:
        """Certificates with a private key on the servers, each once; how each server keeps it, by server."""
        issuer = self.deployment.token_issuer
        found: dict[str, dict[str, Any]] = {}
        for server, stored in sorted(self.stores.items()):
            for row in stored:
                entry = found.setdefault(
                    row.thumbprint,
                    {
                        "thumbprint": row.thumbprint,
                        "sha256": row.sha256,
                        "subject": row.subject,
                        "issuer": row.issuer,
                        "not_after": row.not_after.isoformat(),
                        "is_issuer": bool(issuer and issuer.thumbprint == row.thumbprint),
                        "raw": base64.b64encode(row.raw).decode(),
                        "servers": {},
                    },
                )
                entry["servers"][server] = {
                    "key_spec": row.key_spec,
                    "archived": row.archived,
                    "readers": sorted({reader.account for reader in row.key_readers}),
                }
        return sorted(found.values(), key=lambda entry: str(entry["not_after"]))


def _link(state: str, text: str, detail: dict[str, str] | None = None) -> Link:
    return Link("", "", state, text, detail=detail or {})


def _dated(text: str, ends: datetime | None) -> Link:
    if ends is None:
        return _link("done", text)
    left = ends - now()
    state = "failing" if left <= timedelta(0) else "ends_soon" if left <= SOON else "done"
    return Link("", "", state, text, until=ends.date().isoformat())
