"""What may be asked of a CRM server at any time: the look functions of its SssPortal endpoint."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self

from portal.errors import BadInput, Conflict
from sync_setup.gateways.contract import Certificate, Deployment, Egress, Operation, Server
from sync_setup.gateways.contract_reading import read_many, read_one, read_shape
from sync_setup.gateways.crm_endpoint import CrmEndpoint, ServerClock
from sync_setup.gateways.identifiers import OperationId, OrganizationId, Sha256, Thumbprint
from sync_setup.gateways.remoting import AccountSecret, Endpoint, Parameter
from sync_setup.gateways.remoting_sign_in import SignIn

Next = Literal["send", "wait", "done"]


class CrmLooks:
    """The looks; see `CrmServer`.

    :param name: of the server, for messages.
    :param account: for the Deployment web service, where the endpoint's own account is no
        Deployment Administrator.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        sign_in: SignIn,
        *,
        module_sha256: Sha256 | None = None,
        account: AccountSecret | None = None,
    ) -> None:
        self._endpoint = CrmEndpoint(name, endpoint, sign_in, module_sha256)
        self._account: dict[str, Parameter] = {"DeploymentCredential": account} if account else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        self._endpoint.close()

    def connect(self) -> Server:
        """Prove the endpoint now instead of with the first call; see `CrmEndpoint.connect`."""
        return self._endpoint.connect()

    @property
    def can_change(self) -> bool:
        """Whether the account holds the change role; known once connected."""
        return self._endpoint.can_change

    def get_server(self) -> Server:
        """The server: module, identity, roles, services."""
        return self._endpoint.ask("Get-SssServer", {}, lambda r: read_one(Server, "Server", r))

    def clock(self) -> ServerClock:
        """The server's clock, beside this machine's: every answer carries it."""
        self.get_server()
        if self._endpoint.last_clock is None:
            raise RuntimeError("an answer carries the server's clock")
        return self._endpoint.last_clock

    def get_certificates(self, thumbprint: Thumbprint | None = None) -> tuple[Certificate, ...]:
        """Certificates with a private key in LocalMachine\\My, archived ones too; or this one.

        :raises Missing: there is no certificate with this thumbprint.
        """
        asked: dict[str, Parameter] = {"Thumbprint": thumbprint} if thumbprint else {}
        return self._endpoint.ask(
            "Get-SssCertificate", asked, lambda r: read_many(Certificate, "Certificates", r)
        )

    def get_deployment(self, organization_id: OrganizationId | None = None) -> Deployment:
        """The deployment, from a server with Deployment Tools.

        :param organization_id: also read this organization's tenant id.
        :raises Refused: no Deployment Tools here, or the identity is no Deployment Administrator.
        """
        asked: dict[str, Parameter] = {"OrganizationId": organization_id} if organization_id else {}
        return self._endpoint.ask(
            "Get-SssDeployment",
            asked | self._account,
            lambda r: read_one(Deployment, "Deployment", r),
        )

    def test_egress(self, cloud: str) -> Egress:
        """What this server reaches of a cloud: DNS, TCP and TLS, no credential.

        :param cloud: Global or GccHigh, a cloud's ``server_table``.
        """
        asked = {"Cloud": server_table(cloud)}
        return self._endpoint.ask("Test-SssEgress", asked, lambda r: read_shape(Egress, r))

    def get_operation(self, operation_id: OperationId) -> Operation:
        """What this server knows of an operation."""
        asked = {"OperationId": operation_id}
        return self._endpoint.ask("Get-SssOperation", asked, lambda r: read_shape(Operation, r))

    def age_of(self, operation_id: OperationId) -> float:
        """Seconds since an operation ended, by this server's clock; 0 while it has not."""
        ended = self.get_operation(operation_id).ended_at
        if ended is None or self._endpoint.last_clock is None:
            return 0.0
        return (self._endpoint.last_clock.said - ended).total_seconds()

    def after_lost_answer(self, operation_id: OperationId, *, settled: bool) -> Next:
        """Decide what to do about a change whose answer was lost; call it before sending again.

        :param settled: what a look said just now: the wanted state holds.
        :return: "send": the server never got it, or it failed and may run again; "wait": it runs;
            "done": it is done and holds.
        :raises Conflict: it is done and does not hold (SSS-WINRM-DRIFT): somebody changed it since,
            and it is never applied again.
        """
        state = self.get_operation(operation_id).state
        if state == "Running":
            return "wait"
        if state != "Done":
            return "send"
        if settled:
            return "done"
        raise Conflict(
            f"{self._endpoint.origin.system} carried the change out, and it no longer holds.",
            remedy="Find out who changed it since, then make a new plan.",
            code=self._endpoint.origin.code("DRIFT"),
            system=self._endpoint.origin.system,
            detail={"operation_id": operation_id},
        )


def server_table(cloud: str) -> str:
    """Give the contract's word for a cloud's table of authorization server settings.

    :raises BadInput: for a cloud in which Microsoft documents no such table.
    """
    if cloud not in ("Global", "GccHigh"):
        raise BadInput(
            "The CRM servers' endpoint does not know this cloud.",
            remedy="Choose worldwide, GCC or GCC High: Microsoft documents no other.",
            code="SSS-INPUT-CLOUD",
            field="cloud",
        )
    return cloud
