"""What steps and checks of this app work with: the organization, its surroundings, and doors to the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from django.conf import settings

from portal.errors import BadInput, NotFound
from portal.jobs.kept_secrets import needed_by_unfinished_jobs
from portal.jobs.models import Job, Plan, PlanStep
from portal.jobs.step import Order
from portal.vault.actions import destroy_secrets, open_secret
from portal.vault.models import Secret
from portal.vault.sealed import Sealed
from sync_setup import doors
from sync_setup.clouds import cloud_of
from sync_setup.gateways.clouds import Cloud
from sync_setup.gateways.contract_changes import Order as ServerOrder
from sync_setup.gateways.crm_server import CrmServer as ServerGateway
from sync_setup.gateways.dynamics import MAILBOXES, USERS, Dynamics
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.graph import Graph
from sync_setup.gateways.identifiers import GUID, MailboxId, OperationId, RecordId
from sync_setup.gateways.odata import compare
from sync_setup.gateways.tokens import AppTokens
from sync_setup.models import CrmServer, Deployment, EntraTenant, Organization, TokenCertificate

PILOT_FIELDS = (
    *("name", "emailaddress", "_emailserverprofile_value", "emailrouteraccessapproval"),
    *("incomingemaildeliverymethod", "outgoingemaildeliverymethod", "actdeliverymethod"),
    *("testemailconfigurationscheduled", "testmailboxaccesscompletedon", "modifiedon"),
    *("lastsuccessfulsynccompletedon", "lastsyncerror", "statecode", "isforwardmailbox"),
    *("incomingemailstatus", "outgoingemailstatus", "actstatus", "_regardingobjectid_value"),
)


class _Closable(Protocol):
    def close(self) -> None: ...


Door = TypeVar("Door", bound=_Closable)


@dataclass
class SetupContext:
    """One organization and everything around it. Doors open at first use and close with the context.

    :ivar inputs: what the requester chose.
    :ivar made: what earlier steps of the job made, by step key; empty while there is no job at work.
    :ivar plan: the plan that is carried out; of an undo, that of the job which is undone.
    :ivar is_undo: whether a job is taken back here; then inputs, certificate and plan are that job's.
    """

    organization: Organization
    deployment: Deployment
    tenant: EntraTenant
    inputs: dict[str, Any]
    made: dict[str, dict[str, str]]
    certificate: TokenCertificate | None
    job_number: int
    _closing: ExitStack = field(repr=False)
    plan: Plan | None = None
    is_undo: bool = False
    _servers: dict[int, ServerGateway] = field(default_factory=dict, repr=False)

    @property
    def is_planning(self) -> bool:
        """Whether steps look for a plan in the making. At work, every step of the plan has its place in ``made``."""
        return not self.made

    def shown_in_plan(self, key: str) -> Mapping[str, Any]:
        """Give what a step's look showed when the plan was made; empty while it is being made."""
        row = self.row_in_plan(key)
        return dict(row.shown) if row is not None else {}

    def row_in_plan(self, key: str) -> PlanStep | None:
        """Give a step's row of the plan that is carried out; None while it is being made."""
        if self.plan is None or (self.is_planning and not self.is_undo):
            return None
        return self.plan.steps.filter(key=key).first()

    @property
    def person_poll_s(self) -> float:
        """How often a look tells whether a person has done what a job waits for."""
        return float(settings.PERSON_POLL_S)

    @cached_property
    def cloud(self) -> Cloud:
        return cloud_of(self.tenant.cloud)

    @cached_property
    def servers(self) -> list[CrmServer]:
        return list(self.deployment.servers.order_by("name"))

    def chosen_certificate(self) -> TokenCertificate:
        """Give the certificate of this job.

        :raises BadInput: when none was chosen yet.
        """
        if self.certificate is None:
            raise BadInput(
                "No certificate was chosen.",
                remedy="Upload a PFX file, or choose a certificate that is on the servers.",
                field="certificate",
            )
        return self.certificate

    def tokens(self) -> AppTokens:
        """Give a new source of tokens of the setup app: what it says is Entra ID's word of now.

        :raises BadInput: when no setup app was given for this tenant.
        """
        return doors.entra_tokens(self.cloud, self.tenant)

    def setup_app(self) -> dict[str, str]:
        """Name the setup app and the version of its credential, as they are now; never the credential."""
        tenant = self.tenant
        found = {"client_id": tenant.client_id, "credential": tenant.credential_id}
        return {name: str(value) for name, value in found.items() if value is not None}

    @cached_property
    def graph(self) -> Graph:
        return self._close(Graph(self.cloud, self.tokens()))

    @cached_property
    def dynamics(self) -> Dynamics:
        return self._close(doors.dynamics(self.deployment, self.organization))

    def server(self, server: CrmServer) -> ServerGateway:
        """Give the JEA endpoint of one CRM server."""
        if server.pk not in self._servers:
            self._servers[server.pk] = self._close(doors.crm_server(self.deployment, server))
        return self._servers[server.pk]

    def server_named(self, name: str) -> CrmServer:
        """Give the registered server that Get-CrmServer calls by this name.

        :raises NotFound: when the portal does not know it.
        """
        for server in self.servers:
            if server.name.lower() == name.lower():
                return server
        raise NotFound(
            f"The deployment has a server {name} that the portal does not know.",
            remedy=f"Register {name} with its WinRM address, then check again.",
            code="SSS-SERVER-UNKNOWN",
        )

    @cached_property
    def tools_server(self) -> CrmServer:
        """The server with the Deployment Tools, on which the deployment is read and written."""
        for server in self.servers:
            if server.has_deployment_tools:
                return server
        raise NotFound(
            "No registered server has the Deployment Tools role.",
            remedy="Mark the server that has it in the deployment's connection.",
            code="SSS-NO-DEPLOYMENT-TOOLS",
        )

    @property
    def tools(self) -> ServerGateway:
        return self.server(self.tools_server)

    @cached_property
    def organization_id(self) -> str:
        """The organization's GUID: as registered, or as the deployment gives it for exactly this name."""
        if self.organization.organization_id:
            return str(self.organization.organization_id)
        for found in self.tools.get_deployment().organizations:
            if found.unique_name == self.organization.unique_name:
                return str(found.id)
        raise NotFound(
            f"The deployment has no organization named exactly {self.organization.unique_name}.",
            remedy="Compare upper and lower case with Get-CrmOrganization.",
            code="SSS-ORGANIZATION-NOT-FOUND",
        )

    def profile_owner(self, now: Mapping[str, Any]) -> str:
        """Give the GUID of who is to own the server profile and get its alerts.

        Whom the requester named; else whoever owns it now; else the portal's own user in Dynamics.

        :raises BadInput: when the named person is not exactly one enabled user of the organization.
        """
        named = self.inputs.get("profile_owner", "")
        if not named:
            return str(now.get("_ownerid_value") or self.dynamics.who_am_i().user_id)
        fields = ("systemuserid", "fullname", "domainname", "internalemailaddress", "isdisabled")
        keys = ("fullname", "domainname", "internalemailaddress", "systemuserid")
        found = [
            row
            for row in self.dynamics.records(USERS, fields)
            if not row.fields.get("isdisabled")
            and named.lower() in {str(row.fields.get(key, "")).lower() for key in keys}
        ]
        if len(found) != 1:
            raise BadInput(
                f"{named!r} names {len(found)} enabled users of {self.organization}.",
                remedy="Give the owner's domain name or email address as Dynamics has it.",
                field="profile_owner",
            )
        return str(found[0].id)

    def pilot(self) -> Record:
        """Give the pilot mailbox, by the address or id the requester chose, as Dynamics has it now.

        :raises BadInput: when it names no mailbox, or several.
        """
        named = str(self.inputs.get("pilot", ""))
        if not named:
            raise BadInput(
                "No pilot mailbox was chosen.",
                remedy="Give the address of a mailbox that may be used for the proof.",
                field="pilot",
            )
        if GUID.fullmatch(named):
            return self.dynamics.mailbox(MailboxId(RecordId(named)), PILOT_FIELDS)
        found = list(
            self.dynamics.records(MAILBOXES, PILOT_FIELDS, compare("emailaddress", "eq", named))
        )
        if len(found) != 1:
            raise BadInput(
                f"{len(found)} mailboxes of {self.organization} have the address {named}.",
                remedy="Choose a pilot mailbox that exists exactly once.",
                field="pilot",
            )
        return found[0]

    def server_order(self, order: Order, effect: str) -> ServerOrder:
        """Say to a CRM server who orders this effect, so that it can refuse anybody older and repeat nothing."""
        return ServerOrder(
            portal_id=str(order.portal_id),
            epoch=order.epoch,
            fence=order.fence,
            operation_id=OperationId(str(order.operation(effect))),
            job=order.job,
        )

    def open(self, secret: Secret | None) -> Sealed:
        """Open a job secret, inside change() and nowhere else.

        :raises NotFound: when there is none, or it is gone.
        """
        if secret is None:
            raise NotFound("The key file was not uploaded, or is gone.", code="SSS-SECRET-GONE")
        return open_secret(secret)

    def job_secrets(self) -> list[Secret]:
        """Give the key file and its password, as far as they are still kept for this job.

        At work without those that another unfinished job needs: they go with that one.
        """
        kept = self.kept_secrets()
        if self.is_planning or not kept:
            return kept
        names = frozenset(str(secret.pk) for secret in kept)
        needed = needed_by_unfinished_jobs(names, other_than=self.job_number)
        return [secret for secret in kept if str(secret.pk) not in needed]

    def kept_secrets(self) -> list[Secret]:
        """Give the key file and its password, as far as they are still kept for whatever job."""
        certificate = self.certificate
        ids = [certificate.pfx_id, certificate.pfx_password_id] if certificate else []
        named = [pk for pk in ids if pk is not None]
        return list(Secret.objects.filter(pk__in=named, destroyed_at=None))

    def destroy_job_secrets(self) -> None:
        """Take key file and password out of the database for good, as far as no other job needs them."""
        destroy_secrets(self.job_secrets(), by=None)

    def _close(self, door: Door) -> Door:
        self._closing.callback(door.close)
        return door


@contextmanager
def open_context(
    job: Job, made: dict[str, dict[str, str]], *, is_undo: bool = False
) -> Iterator[SetupContext]:
    """Open the context of a job about one organization, or of the undo of this job."""
    organization = Organization.objects.select_related(
        "deployment__crm_password", "deployment__winrm_credential", "tenant__credential", "scope"
    ).get(scope=job.scope)
    with ExitStack() as closing:
        yield SetupContext(
            organization=organization,
            deployment=organization.deployment,
            tenant=organization.tenant,
            inputs=job.inputs,
            made=made,
            certificate=certificate_of(job),
            job_number=job.number,
            plan=job.plan,
            is_undo=is_undo,
            _closing=closing,
        )


def certificate_of(job: Job) -> TokenCertificate | None:
    """Give the certificate a job is about, if one was chosen."""
    chosen = job.inputs.get("certificate")
    if not chosen:
        return None
    return TokenCertificate.objects.select_related("pfx", "pfx_password", "uploaded_by").get(
        pk=chosen
    )
