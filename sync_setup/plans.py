"""The order of every plan. One line a step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from portal.access.models import Person, Scope
from portal.errors import BadInput
from portal.jobs.models import Job
from portal.jobs.plans import PlanKind
from portal.jobs.step import Step
from portal.vault.models import Secret
from sync_setup.checks import CONNECT_CHECKS
from sync_setup.context import SetupContext, certificate_of, open_context
from sync_setup.gateways.identifiers import guid
from sync_setup.models import Organization, TokenCertificate
from sync_setup.reading import ReadOrganization, TestConnection
from sync_setup.server_profiles import ACTIVE, STATE, checked_values
from sync_setup.steps.change_server_profile import ChangeServerProfile
from sync_setup.steps.clean_up import CleanUp
from sync_setup.steps.hand_back_tenant_access import HandBackTenantAccess
from sync_setup.steps.install_token_certificate import InstallTokenCertificate
from sync_setup.steps.prove_pilot_mailbox import ProvePilotMailbox
from sync_setup.steps.provide_tenant_access import ProvideTenantAccess
from sync_setup.steps.register_principal_name import RegisterPrincipalName
from sync_setup.steps.register_token_certificate import RegisterTokenCertificate
from sync_setup.steps.restart_async_services import RestartAsyncServices
from sync_setup.steps.set_organization_tenant import SetOrganizationTenant
from sync_setup.steps.set_token_issuer import SetTokenIssuer
from sync_setup.steps.write_authorization_server import WriteAuthorizationServer
from sync_setup.steps.write_organization_defaults import WriteOrganizationDefaults
from sync_setup.steps.write_server_profile import WriteServerProfile
from sync_setup.wizard_steps import current_page

PROFILE_NAME = "Exchange Online (Hybrid)"


class ConnectOrganization(PlanKind):
    """Connect one organization: what only adds comes first, the cut-over late, nothing is taken away."""

    slug = "connect-organization"
    title = "Connect to Exchange Online"
    version = 2
    checks = CONNECT_CHECKS
    steps = (
        ProvideTenantAccess(),
        RegisterTokenCertificate(),
        RegisterPrincipalName(),
        HandBackTenantAccess(),
        InstallTokenCertificate(),
        WriteAuthorizationServer(),
        SetTokenIssuer(),
        SetOrganizationTenant(),
        RestartAsyncServices(),
        WriteServerProfile(),
        ProvePilotMailbox(),
        WriteOrganizationDefaults(),
        CleanUp(),
    )
    who_notices = (
        "The asynchronous services restart, one server at a time: workflows and imports pause for "
        "about a minute per server, for everybody on this deployment. Users can keep working."
    )
    not_touched = "Old certificates and keys stay, and so do other server profiles, other mailboxes and other deployments."

    def open(
        self, job: Job, made: dict[str, dict[str, str]]
    ) -> AbstractContextManager[SetupContext]:
        return open_context(job, made)

    def open_to_undo(
        self, job: Job, of_then: dict[str, dict[str, str]], made: dict[str, dict[str, str]]
    ) -> AbstractContextManager[SetupContext]:
        return open_context(job, made, is_undo=True)

    def backwards(self, steps: Sequence[Step[Any]]) -> Sequence[Step[Any]]:
        """Order what is taken back: the proof first, then the settings, the restart, and only then the keys.

        A certificate that a service still signs with is not taken away under it. What is in Entra ID
        needs the tenant's access, which its administrator gives and takes as for the job itself.
        """
        return _backwards(self.steps, steps)

    def target(self, job: Job) -> dict[str, Any]:
        organization = _organization(job)
        certificate = certificate_of(job)
        return {
            "organization": organization.unique_name,
            "deployment": organization.deployment.name,
            "web_api": organization.deployment.web_api_url,
            "ca_file": organization.deployment.ca_file,
            "servers": {
                server.name: f"{server.host}:{server.port} {server.module_sha256}"
                for server in organization.deployment.servers.all()
            },
            "tenant": str(organization.tenant.tenant_id),
            "keeps_access": organization.tenant.keeps_access,
            "cloud": organization.tenant.cloud,
            "certificate": certificate.sha256 if certificate else "",
            "not_after": certificate.not_after.isoformat() if certificate else "",
        }

    def clean_inputs(self, scope: Scope, inputs: dict[str, Any], *, by: Person) -> dict[str, Any]:
        organization = Organization.objects.get(scope=scope)
        name = str(inputs.get("profile_name") or PROFILE_NAME).strip()
        if not 1 <= len(name) <= 100 or not name.isprintable():
            raise BadInput(
                "A profile's name has 1 to 100 printable characters.", field="profile_name"
            )
        return {
            "certificate": _certificate(organization, inputs.get("certificate")),
            "profile_name": name,
            "profile_owner": str(inputs.get("profile_owner") or "").strip(),
            "pilot": str(inputs.get("pilot") or "").strip(),
            "set_defaults": bool(inputs.get("set_defaults")),
        }

    def headline(self, job: Job) -> str:
        return f"Connect {job.scope.title} to Exchange Online"

    def uploader(self, job: Job) -> Person | None:
        certificate = certificate_of(job)
        return certificate.uploaded_by if certificate else None

    def secret_ids(self, job: Job) -> list[str]:
        if job.plan is not None:
            return list(job.plan.secret_ids)
        certificate = certificate_of(job)
        found = [certificate.pfx_id, certificate.pfx_password_id] if certificate else []
        # What is gone before there is a plan is not what the plan needs: the certificate is on the
        # servers by now, or a check stops the draft and asks for the file again.
        kept = set(
            Secret.objects.filter(pk__in=[pk for pk in found if pk], destroyed_at=None).values_list(
                "pk", flat=True
            )
        )
        return [str(pk) for pk in found if pk in kept]

    def wizard_url(self, job: Job) -> str:
        return current_page(job)

    def proof(self, job: Job) -> str:
        certificate = certificate_of(job)
        return certificate.thumbprint[-4:] if certificate else ""


IN_ENTRA = frozenset({RegisterTokenCertificate.key, RegisterPrincipalName.key})
SETTINGS = frozenset({WriteAuthorizationServer.key, SetTokenIssuer.key, SetOrganizationTenant.key})


def _backwards(of_kind: Sequence[Step[Any]], taken: Sequence[Step[Any]]) -> list[Step[Any]]:
    keys = {step.key for step in taken}
    needed = {ProvideTenantAccess.key, HandBackTenantAccess.key} if keys & IN_ENTRA else set()
    if keys & SETTINGS:
        needed.add(RestartAsyncServices.key)
    between = {step.key: step for step in of_kind if step.key in needed}
    turned = list(reversed(taken))
    keys_last = IN_ENTRA | {InstallTokenCertificate.key}
    ordered = [
        between.get(ProvideTenantAccess.key),
        *(step for step in turned if step.key not in keys_last),
        between.get(RestartAsyncServices.key),
        *(step for step in turned if step.key in keys_last),
        between.get(HandBackTenantAccess.key),
    ]
    return [step for step in ordered if step is not None]


def _organization(job: Job) -> Organization:
    return Organization.objects.select_related("deployment", "tenant").get(scope=job.scope)


def _certificate(organization: Organization, chosen: Any) -> int | None:
    if not chosen:
        return None
    found = TokenCertificate.objects.filter(pk=chosen, deployment=organization.deployment).first()
    if found is None:
        raise BadInput("This certificate is not one of this deployment.", field="certificate")
    return found.pk


class ChangeServerProfileKind(PlanKind):
    """Create or change one email server profile, or switch it on or off."""

    slug = "change-server-profile"
    title = "Change an email server profile"
    version = 1
    steps = (ChangeServerProfile(),)
    who_notices = "Mailboxes on the profile use the new settings from the next sync cycle on."

    def open(
        self, job: Job, made: dict[str, dict[str, str]]
    ) -> AbstractContextManager[SetupContext]:
        return open_context(job, made)

    def target(self, job: Job) -> dict[str, Any]:
        organization = _organization(job)
        return {
            "organization": organization.unique_name,
            "deployment": organization.deployment.name,
            "web_api": organization.deployment.web_api_url,
            "ca_file": organization.deployment.ca_file,
            "profile": job.inputs["profile_id"],
        }

    def open_to_undo(
        self, job: Job, of_then: dict[str, dict[str, str]], made: dict[str, dict[str, str]]
    ) -> AbstractContextManager[SetupContext]:
        return open_context(job, made, is_undo=True)

    def clean_inputs(self, scope: Scope, inputs: dict[str, Any], *, by: Person) -> dict[str, Any]:
        profile_id = str(inputs.get("profile_id") or "")
        if profile_id:
            profile_id = guid(profile_id, field="profile_id")
        values = checked_values(dict(inputs.get("values") or {}))
        if not profile_id and "name" not in values:
            raise BadInput("A new profile needs a name.", field="name")
        if not profile_id and values.get(STATE, ACTIVE) != ACTIVE:
            # Dynamics makes it active first: in between it would be in a state that no plan names.
            raise BadInput(
                "A new profile is active.",
                remedy="Create it, then switch it off with a plan of its own.",
                field=STATE,
            )
        owner = str(inputs.get("profile_owner") or "").strip()
        if not values and not owner:
            raise BadInput("Nothing was changed.", field="values")
        return {
            "profile_id": profile_id,
            "values": values,
            "profile_owner": owner,
        }


KINDS: tuple[PlanKind, ...] = (
    ConnectOrganization(),
    ChangeServerProfileKind(),
    ReadOrganization(),
    TestConnection(),
)
