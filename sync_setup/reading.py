"""The kinds of plan that only read: look at an organization's trust chain, try its doors. They write nothing outside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.utils.timezone import now

from portal.audit.record import record
from portal.errors import PortalError
from portal.jobs.models import Job
from portal.jobs.plans import ReadingKind
from sync_setup.context import SetupContext, open_context
from sync_setup.gateways.dynamics import MAILBOXES
from sync_setup.models import CrmServer, Organization, Reading, ServerProfile
from sync_setup.server_profiles import ACTIVE, STATE
from sync_setup.trust_chain import Chain

NAMES = 50  # of mailboxes kept per profile; the count is exact


class ReadOrganization(ReadingKind):
    """Look at the whole chain of one organization. Reads only."""

    slug = "read-organization"
    title = "Look at an organization"
    version = 1

    def open(
        self, job: Job, made: dict[str, dict[str, str]]
    ) -> AbstractContextManager[SetupContext]:
        return open_context(job, made)

    def target(self, job: Job) -> dict[str, Any]:
        return {"organization": job.scope.title}

    def observe(self, context: SetupContext) -> dict[str, Any]:
        chain = Chain(context)
        return {
            "links": [asdict(link) for link in chain.links()],
            "certificates": _or_error(chain.certificates),
            "organization": _or_error(lambda: _organization_facts(chain)),
            "keys": _or_error(lambda: _key_facts(context)),
            "profiles": _or_error(
                lambda: [dict(row.fields) | {"id": row.id} for row in chain.profiles]
            ),
            "users": _or_error(lambda: _profile_users(context)),
        }

    def keep(self, job: Job, facts: dict[str, Any]) -> None:
        organization = Organization.objects.get(scope=job.scope)
        profiles, users = facts.pop("profiles"), facts.pop("users")
        if isinstance(profiles, list):
            _keep_profiles(organization, profiles, users if isinstance(users, dict) else {})
            facts["profiles"] = len(profiles)
        previous = Reading.objects.filter(organization=organization).first()
        if isinstance(facts["keys"], dict) and previous:
            # Tenant access is usually handed back: keep what was last seen of the keys, with its age.
            facts["keys_last_seen"] = previous.facts.get("keys_last_seen") or {
                "keys": previous.facts.get("keys"),
                "at": previous.read_at.isoformat(),
            }
        Reading.objects.update_or_create(
            organization=organization,
            defaults={"facts": facts, "read_at": now(), "job_number": job.number},
        )
        found = facts["organization"]
        if found and "id" in found and organization.organization_id is None:
            organization.organization_id = found["id"]
            organization.save(update_fields=["organization_id"])


class TestConnection(ReadOrganization):
    """Try every door of an organization: Entra ID, each CRM server, Dynamics. Reads only."""

    slug = "test-connection"
    title = "Test the connection"
    __test__ = False  # pytest: not a test

    def observe(self, context: SetupContext) -> dict[str, Any]:
        doors: list[tuple[str, Callable[[], str]]] = [
            ("Entra ID", lambda: f"token for tenant {context.tokens().token().tenant_id}"),
            *(
                (
                    f"CRM server {server.name}",
                    partial(_server_words, context, server),
                )
                for server in context.servers
            ),
            ("Dynamics", lambda: f"signed in as user {context.dynamics.who_am_i().user_id}"),
        ]
        return {
            "doors": [_try(name, door) for name, door in doors],
            "modules": {
                server.pk: _or_error(partial(_module, context, server))
                for server in context.servers
            },
        }

    def keep(self, job: Job, facts: dict[str, Any]) -> None:
        job.inputs = job.inputs | {"doors": facts["doors"]}
        job.save(update_fields=["inputs"])
        for server in CrmServer.objects.filter(pk__in=facts["modules"], module_sha256=""):
            found = facts["modules"][server.pk]
            if isinstance(found, str):
                pin_module(server, found, job)


def _server_words(context: SetupContext, server: CrmServer) -> str:
    found = context.server(server).get_server()
    may = "may change" if context.server(server).can_change else "may only look"
    return f"module {found.module_version}, runs as {found.run_as_identity}, {may}"


def _module(context: SetupContext, server: CrmServer) -> str:
    return context.server(server).get_server().module_sha256


def pin_module(server: CrmServer, sha256: str, job: Job) -> None:
    """Take the module of the first successful test as the one this server is to have from now on."""
    server.module_sha256 = sha256
    server.save(update_fields=["module_sha256"])
    record(
        "server.module_pinned",
        server,
        by=job.requester,
        scope=job.scope,
        job_number=job.number,
        server=server.name,
        sha256=sha256,
    )


def _try(name: str, door: Callable[[], str]) -> dict[str, Any]:
    began = datetime.now(UTC)
    try:
        text, fix, works = door(), "", True
    except PortalError as error:
        text, fix, works = f"{error.message} ({error.code})", error.remedy, False
    seconds = (datetime.now(UTC) - began).total_seconds()
    return {"name": name, "works": works, "text": text, "fix": fix, "seconds": round(seconds, 2)}


def _keep_profiles(
    organization: Organization, profiles: list[dict[str, Any]], users: dict[str, list[str]]
) -> None:
    seen = []
    for row in profiles:
        names = users.get(row["id"], [])
        ServerProfile.objects.update_or_create(
            organization=organization,
            profile_id=row["id"],
            defaults={
                "name": row.get("name") or "",
                "is_active": row.get(STATE) == ACTIVE,
                "fields": row,
                "mailbox_count": len(names),
                "mailboxes": names[:NAMES],
                "is_gone": False,
                "read_at": now(),
            },
        )
        seen.append(row["id"])
    organization.server_profiles.exclude(profile_id__in=seen).update(is_gone=True)


def _profile_users(context: SetupContext) -> dict[str, list[str]]:
    """Give the names of the mailboxes on each profile, by profile id."""
    users: dict[str, list[str]] = {}
    fields = ("name", "_emailserverprofile_value", STATE)
    for row in context.dynamics.records(MAILBOXES, fields):
        profile = row.fields.get("_emailserverprofile_value")
        if profile and row.fields.get(STATE) == ACTIVE:
            users.setdefault(str(profile), []).append(str(row.fields.get("name") or ""))
    return {profile: sorted(names) for profile, names in users.items()}


def _organization_facts(chain: Chain) -> dict[str, Any]:
    for row in chain.deployment.organizations:
        if row.id == chain.context.organization_id:
            return {
                "id": row.id,
                "unique_name": row.unique_name,
                "state": row.state,
                "version": row.version,
            }
    return {}


def _key_facts(context: SetupContext) -> list[dict[str, str]]:
    keys = context.graph.key_credentials(context.graph.service_principal().id)
    return [
        {
            "thumbprint": key.thumbprint or "",
            "name": key.display_name,
            "ends": key.ends_at.isoformat() if key.ends_at else "",
        }
        for key in keys
    ]


def _or_error(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except PortalError as error:
        return {"error": error.message, "code": error.code}
