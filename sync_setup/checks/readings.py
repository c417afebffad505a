"""What the checks of one run read of the outside, each thing once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from portal.errors import BadInput, PortalError
from sync_setup.context import SetupContext
from sync_setup.gateways.contract import Certificate, CrmOrganization, Deployment, Egress, Server
from sync_setup.gateways.crm_endpoint import ServerClock
from sync_setup.gateways.crm_server import CrmServer as ServerGateway
from sync_setup.gateways.directory import KeyCredential, ServicePrincipal, Sku, Tenant
from sync_setup.gateways.dynamics import USERS, Caller, CurrentOrganization, Dynamics
from sync_setup.gateways.dynamics_session import Record
from sync_setup.gateways.graph import Graph
from sync_setup.gateways.identifiers import OrganizationId, RecordId
from sync_setup.gateways.tokens import Token
from sync_setup.key_readers import SERVER_ROLES
from sync_setup.models import CrmServer, TokenCertificate
from sync_setup.server_profiles import OWNER

T = TypeVar("T")

ORGANIZATION_FIELDS = (
    "emailconnectionchannel",
    "requireapprovalforuseremail",
    "requireapprovalforqueueemail",
    "sharepointdeploymenttype",
)
USER_FIELDS = ("fullname", "domainname", "internalemailaddress", "isdisabled", "accessmode")
PROFILE_FIELDS = ("name", "servertype", "statecode", OWNER)
CHOOSE_CERTIFICATE = (
    "Upload a PFX file, or choose a certificate that is on the CRM servers already."
)
CHOOSE_PILOT = "Name the address of a mailbox that Dynamics has exactly once."


class Readings:
    """Answers of the outside systems, kept for the checks of one run.

    A failure is kept like an answer: a server that is down costs its time-out once, a wrong password
    is tried once (accounts are locked after a few), and every check that needs the answer says the
    same. Every method raises the errors of the gateway it asks.

    :param clock: gives the time of now; another one judges another day.
    """

    def __init__(
        self, context: SetupContext, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.context = context
        self.now = clock()
        self._kept: dict[Hashable, tuple[Any, PortalError | None]] = {}

    # --- what the requester chose ------------------------------------------------------------
    @property
    def certificate(self) -> TokenCertificate:
        """The certificate that is to be the token issuer.

        :raises BadInput: none was chosen.
        """
        if self.context.certificate is None:
            raise BadInput(
                "No certificate is chosen.", remedy=CHOOSE_CERTIFICATE, field="certificate"
            )
        return self.context.certificate

    @property
    def pilot(self) -> Record:
        """The pilot mailbox, as Dynamics has it.

        :raises BadInput: none was chosen, or what was chosen is not exactly one mailbox.
        """
        if not self.context.inputs.get("pilot"):
            raise BadInput("No pilot mailbox is chosen.", remedy=CHOOSE_PILOT, field="pilot")
        self._sign_in()
        return self._once("pilot", self.context.pilot)

    # --- CRM servers -------------------------------------------------------------------------
    @property
    def servers(self) -> list[CrmServer]:
        """The registered servers."""
        return self.context.servers

    def server(self, server: CrmServer) -> Server:
        """What a server says of itself, once its endpoint is proved to be the contract's."""
        return self._once(("server", server.pk), lambda: self.context.server(server).connect())

    def failure_of(self, server: CrmServer) -> PortalError | None:
        """Why a server cannot be asked; None where it can."""
        try:
            self.server(server)
        except PortalError as error:
            return error
        return None

    def with_role(self, *roles: str) -> list[CrmServer]:
        """The registered servers that have one of these roles, by their own word."""
        return [row for row in self.servers if set(roles) & set(self.server(row).roles)]

    @property
    def key_servers(self) -> list[CrmServer]:
        """The servers on which a CRM service must read the private key."""
        return self.with_role(*SERVER_ROLES)

    def certificates(self, server: CrmServer) -> tuple[Certificate, ...]:
        """The certificates with a private key in a server's store."""
        return self._once(("certificates", server.pk), self._door(server).get_certificates)

    def egress(self, server: CrmServer) -> Egress:
        """What a server reaches of the tenant's cloud."""
        door, table = self._door(server), self.context.cloud.server_table
        return self._once(("egress", server.pk), lambda: door.test_egress(table))

    def clock(self, server: CrmServer) -> ServerClock:
        """A server's clock beside the portal's."""
        # Signed in before: the time that takes would widen the interval.
        return self._once(("clock", server.pk), self._door(server).clock)

    # --- the deployment ----------------------------------------------------------------------
    @property
    def deployment(self) -> Deployment:
        """The deployment, as its Deployment web service tells it."""
        return self._once("deployment", self._tools().get_deployment)

    @property
    def organization(self) -> CrmOrganization | None:
        """The organization of exactly the registered name; None where there is none."""
        name = self.context.organization.unique_name
        return next((o for o in self.deployment.organizations if o.unique_name == name), None)

    def tenant_id_of(self, organization_id: str) -> str | None:
        """The S2STenantId of an organization of the deployment."""
        wanted = OrganizationId(organization_id)

        def read() -> str | None:
            found = self._tools().get_deployment(wanted).organizations
            return next((o.s2s_tenant_id for o in found if o.id == wanted), None)

        return self._once(("tenant id", organization_id), read)

    # --- Entra ID and Graph ------------------------------------------------------------------
    @property
    def token(self) -> Token:
        """A token of the setup app, as Entra ID gives it now."""
        return self._enter()

    @property
    def tenant(self) -> Tenant:
        return self._once("tenant", self._graph().organization)

    @property
    def skus(self) -> tuple[Sku, ...]:
        return self._once("skus", self._graph().subscribed_skus)

    @property
    def principal(self) -> ServicePrincipal:
        """The principal of Dynamics CRM."""
        return self._once("principal", self._graph().service_principal)

    @property
    def keys(self) -> tuple[KeyCredential, ...]:
        """The keys by which Entra ID recognises Dynamics CRM."""
        principal = self.principal.id
        return self._once("keys", lambda: self._graph().key_credentials(principal))

    # --- Dynamics ----------------------------------------------------------------------------
    @property
    def caller(self) -> Caller:
        """Who the portal is in the organization."""
        return self._sign_in()

    def dynamics(self) -> Dynamics:
        """The organization's Web API, where signing in works."""
        self._sign_in()
        return self.context.dynamics

    @property
    def current_organization(self) -> CurrentOrganization:
        """The organization behind the registered address."""
        return self._once("current", self.dynamics().current_organization)

    @property
    def privileges(self) -> frozenset[str]:
        """The privileges of the portal's user."""
        caller = self.caller.user_id
        return self._once("privileges", lambda: self.context.dynamics.privileges(caller))

    @property
    def organization_record(self) -> Record:
        """The organization's own row."""
        door = self.dynamics()
        return self._once("organization", lambda: door.organization(ORGANIZATION_FIELDS))

    @property
    def profiles(self) -> tuple[Record, ...]:
        """The email server profiles, inactive ones too."""
        door = self.dynamics()
        return self._once("profiles", lambda: door.server_profiles(PROFILE_FIELDS))

    def user(self, user_id: str) -> Record:
        """A user of the organization.

        :raises Missing: nobody has this id; it may be a team's or a queue's.
        """
        door, wanted = self.dynamics(), RecordId(user_id)
        return self._once(("user", user_id), lambda: door.record(USERS, wanted, USER_FIELDS))

    def _sign_in(self) -> Caller:
        return self._once("caller", lambda: self.context.dynamics.who_am_i())

    def _enter(self) -> Token:
        return self._once("token", lambda: self.context.tokens().new_token())

    def _door(self, server: CrmServer) -> ServerGateway:
        self.server(server)  # where it failed, that is the answer, without another try
        return self.context.server(server)

    def _tools(self) -> ServerGateway:
        return self._door(self.context.tools_server)

    def _graph(self) -> Graph:
        self._enter()
        return self.context.graph

    def _once(self, name: Hashable, read: Callable[[], T]) -> T:
        if name not in self._kept:
            try:
                self._kept[name] = (read(), None)
            except PortalError as error:
                self._kept[name] = (None, error)
        answer, failure = self._kept[name]
        if failure is not None:
            raise failure.with_traceback(None)
        return cast("T", answer)


def readings_of(context: SetupContext) -> Readings:
    """Give the readings of this run: they live and end with its context."""
    # As functools.cached_property keeps a value: in the object's own dictionary.
    kept: dict[str, Any] = vars(context)
    if "readings" not in kept:
        kept["readings"] = Readings(context)
    return cast("Readings", kept["readings"])
