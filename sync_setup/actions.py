"""What changes tenants, deployments, organizations and recorded answers. Each: check, change, history."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from portal.access.models import Person, Role, Scope
from portal.access.roles import demand
from portal.audit.record import record
from portal.errors import BadInput, Outpaced
from portal.jobs.models import Installation
from portal.vault.actions import seal_secret
from portal.vault.models import Secret
from sync_setup.clouds import cloud_of
from sync_setup.doors import split_pem
from sync_setup.gateways.identifiers import guid
from sync_setup.gateways.route import check_host, check_url
from sync_setup.models import CrmServer, Deployment, EntraTenant, Organization, RecordedAnswer
from sync_setup.recorded import QUESTIONS

# What Dynamics itself takes as the unique name of an organization; compared letter by letter.
UNIQUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SERVER_NAME = re.compile(r"[A-Za-z0-9-]{1,63}")


@dataclass(frozen=True)
class ServerAddress:
    """Where one CRM server's WinRM listener is."""

    name: str
    host: str
    port: int = 5986
    has_deployment_tools: bool = False


@transaction.atomic
def register_tenant(tenant_id: str, name: str, cloud: str, *, by: Person) -> EntraTenant:
    """Make a tenant known.

    :raises BadInput: for an id that is none, an unknown cloud, or one that fits not this installation.
    """
    demand(by, Role.ADMIN)
    _fit_mode(cloud_of(cloud).simulated)
    found, made = EntraTenant.objects.get_or_create(
        tenant_id=uuid.UUID(guid(tenant_id, field="tenant_id")),
        defaults={"name": _text(name, "name", 200), "cloud": cloud},
    )
    if made:
        record("tenant.registered", found, by=by, cloud=cloud, tenant=str(found.tenant_id))
    return found


@transaction.atomic
def set_tenant_access(
    tenant: EntraTenant, *, by: Person, access: str, client_id: str, credential: str, keeps: bool
) -> EntraTenant:
    """Enter the setup app that the tenant's administrator gave.

    :param access: secret or certificate. :param credential: the secret, or PEM with certificate and key;
        empty: the one of this app that is set stays.
    :param keeps: the tenant decided that the app stays; else jobs wait until it is deleted.
    :raises BadInput: with the field; another app, or another way to prove itself, needs its own credential.
    """
    demand(by, Role.ADMIN)
    app = uuid.UUID(guid(client_id, field="client_id"))
    if not credential and not (
        tenant.has_credential and (tenant.client_id, tenant.access) == (app, access)
    ):
        raise BadInput("Give the app's secret or certificate.", field="credential")
    if credential and access == EntraTenant.Access.CERTIFICATE:
        split_pem(credential.encode())
    tenant.access, tenant.client_id, tenant.keeps_access = EntraTenant.Access(access), app, keeps
    if credential:
        tenant.credential = seal_secret(
            credential.encode(), kind=Secret.Kind.CONNECTION, label="setup app credential", by=by
        )
    tenant.save()
    record("tenant.changed", tenant, by=by, client_id=client_id, access=access, keeps=keeps)
    return tenant


@transaction.atomic
def register_deployment(
    name: str,
    web_api_url: str,
    servers: Sequence[ServerAddress],
    *,
    by: Person,
    is_simulated: bool = False,
    ca_file: str = "",
) -> Deployment:
    """Make a deployment and its servers known. Nothing is contacted yet.

    :raises BadInput: with the field that cannot be used.
    """
    demand(by, Role.ADMIN)
    _fit_mode(is_simulated)
    name = _text(name, "name", 100)
    example = web_api_url.replace("{organization}", "organization")
    check_url(example, simulated=is_simulated, field="web_api_url")
    web_api_url = web_api_url.strip().rstrip("/")
    if not servers or sum(server.has_deployment_tools for server in servers) != 1:
        raise BadInput(
            "Name the servers of the deployment, and exactly one that has the Deployment Tools.",
            field="servers",
        )
    try:
        with transaction.atomic():
            deployment = Deployment.objects.create(
                name=name,
                slug=slugify(name)[:64],
                is_simulated=is_simulated,
                web_api_url=web_api_url,
                ca_file=ca_file,
            )
    except IntegrityError:
        raise BadInput(f"There is a deployment {name} already.", field="name") from None
    for server in servers:
        if not SERVER_NAME.fullmatch(server.name):
            raise BadInput(f"{server.name!r} is no name of a server.", field="servers")
        CrmServer.objects.create(
            deployment=deployment,
            name=server.name,
            host=check_host(server.host, simulated=is_simulated, field="servers"),
            port=server.port,
            has_deployment_tools=server.has_deployment_tools,
        )
    record("deployment.registered", deployment, by=by, servers=[row.name for row in servers])
    return deployment


@transaction.atomic
def set_deployment_access(
    deployment: Deployment,
    *,
    by: Person,
    crm_username: str,
    crm_password: str,
    winrm_username: str,
    winrm_credential: str,
    winrm_sign_in: str = Deployment.WinrmSignIn.NEGOTIATE,
    adfs_client_id: str = "",
) -> Deployment:
    """Enter the accounts by which workers reach CRM and its servers. An empty secret keeps the one there is."""
    demand(by, Role.ADMIN)
    if winrm_credential and winrm_sign_in == Deployment.WinrmSignIn.CERTIFICATE:
        split_pem(winrm_credential.encode())
    deployment.crm_username = crm_username.strip()
    deployment.winrm_username = winrm_username.strip()
    deployment.winrm_sign_in = Deployment.WinrmSignIn(winrm_sign_in)
    deployment.adfs_client_id = adfs_client_id.strip()
    if crm_password:
        deployment.crm_password = _connection_secret(crm_password, "CRM user password", by)
    if winrm_credential:
        deployment.winrm_credential = _connection_secret(winrm_credential, "WinRM credential", by)
    deployment.save()
    record("deployment.changed", deployment, by=by, winrm_sign_in=winrm_sign_in)
    return deployment


@transaction.atomic
def register_organization(
    deployment: Deployment,
    tenant: EntraTenant,
    unique_name: str,
    *,
    by: Person,
    environment: str = Organization.Environment.PRODUCTION,
) -> Organization:
    """Make an organization known, and the scope in which people hold roles for it.

    :raises BadInput: for a name that Dynamics could not have, or one that is there already.
    """
    demand(by, Role.ADMIN)
    if not UNIQUE_NAME.fullmatch(unique_name):
        raise BadInput(
            "The unique name of an organization has letters, digits, _ and - only, at most 64.",
            remedy="Copy it from Get-CrmOrganization, in exactly that spelling.",
            field="unique_name",
        )
    if deployment.is_simulated != cloud_of(tenant.cloud).simulated:
        raise BadInput("Deployment and tenant must both be simulated, or neither.", field="tenant")
    if Organization.objects.filter(deployment=deployment, unique_name=unique_name).exists():
        raise BadInput(f"{unique_name} is registered already.", field="unique_name")
    scope = Scope.objects.create(
        kind="organization",
        slug=_free_slug(unique_name, deployment),
        title=unique_name,
        is_simulated=deployment.is_simulated,
    )
    organization = Organization.objects.create(
        scope=scope,
        deployment=deployment,
        tenant=tenant,
        unique_name=unique_name,
        environment=Organization.Environment(environment),
    )
    record("organization.registered", organization, by=by, scope=scope, unique_name=unique_name)
    return organization


@transaction.atomic
def record_answer(
    organization: Organization,
    question: str,
    answer: str,
    *,
    by: Person,
    remark: str = "",
    ticket: str = "",
) -> RecordedAnswer:
    """Keep what a person answered to something no interface tells.

    :raises BadInput: for an unknown question or answer.
    """
    demand(by, Role.REQUESTER, organization.scope)
    known = QUESTIONS.get(question)
    if known is None or answer not in dict(known.answers):
        raise BadInput("Choose one of the answers.", field="answer")
    kept = RecordedAnswer.objects.create(
        organization=organization,
        question=question,
        answer=answer,
        remark=remark.strip(),
        ticket=ticket.strip(),
        person=by,
    )
    record(
        "answer.recorded",
        kept,
        by=by,
        scope=organization.scope,
        question=question,
        answer=answer,
        ticket=ticket,
    )
    return kept


def _fit_mode(simulated: bool) -> None:
    """One database is either rehearsal or production: simulated targets and real ones never meet."""
    installation = Installation.objects.first()
    mode = installation.mode if installation else settings.PORTAL_MODE
    if simulated != (mode == "rehearsal"):
        raise BadInput(
            f"This portal's database is for {mode}; this target is not.",
            remedy="Use a portal with a database of its own for the other.",
            code="SSS-MODE",
        )


def _connection_secret(value: str, label: str, by: Person) -> Secret:
    return seal_secret(value.encode(), kind=Secret.Kind.CONNECTION, label=label, by=by)


def _free_slug(unique_name: str, deployment: Deployment) -> str:
    slug = slugify(unique_name)
    if not slug or Scope.objects.filter(slug=slug).exists():
        slug = f"{slug or 'organization'}-{deployment.slug}"
    if Scope.objects.filter(slug=slug).exists():
        raise Outpaced(f"There is a scope {slug} already.")
    return slug


def _text(value: str, field: str, longest: int) -> str:
    text = value.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise BadInput(f"Give 1 to {longest} printable characters.", field=field)
    return text
