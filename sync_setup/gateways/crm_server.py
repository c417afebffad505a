"""One CRM server through its SssPortal endpoint: one typed method for each function of the contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from portal.errors import BadInput
from sync_setup.gateways.contract import (
    Access,
    CertificateState,
    InstallMethod,
    ReaderRole,
    ServiceName,
)
from sync_setup.gateways.contract_changes import (
    AuthorizationServer,
    CertificatePresence,
    CertificateStanding,
    Change,
    InstalledCertificate,
    KeyReaders,
    Order,
    OrganizationTenant,
    ServiceRun,
    TokenIssuerRow,
    TransferFiles,
)
from sync_setup.gateways.contract_reading import read_change
from sync_setup.gateways.crm_looks import CrmLooks, server_table
from sync_setup.gateways.identifiers import (
    OperationId,
    OrganizationId,
    Sha256,
    TenantId,
    Thumbprint,
)
from sync_setup.gateways.remoting import Long, Parameter, Secret

B = TypeVar("B")
A = TypeVar("A")
_INSTALL_S = 300.0


class CrmServer(CrmLooks):
    """One CRM server, looked at and changed.

    Changes carry an `Order`; the server refuses an older fence, and gives the stored result to a
    repeated operation. Every method raises the errors of `CrmEndpoint.ask`; a change that was not
    answered raises Unreachable with ``sent`` True, and then `after_lost_answer` decides.
    """

    def install_certificate(
        self,
        order: Order,
        *,
        pfx: bytes,
        transport_password: str,
        thumbprint: Thumbprint,
        sha256: Sha256,
        grant_read: Collection[ReaderRole],
        method: InstallMethod = "Import",
        allow_same_subject: bool = False,
    ) -> Change[CertificatePresence, InstalledCertificate]:
        """Import a certificate with its private key and let roles read the key.

        :param pfx: wrapped for this one transport, at most 100 KiB.
        :param transport_password: of that wrapping; it travels as a SecureString.
        :param grant_read: roles of this server; it resolves their accounts itself.
        """
        asked: dict[str, Parameter] = {
            "PfxBytes": pfx,
            "TransportPassword": Secret(transport_password),
            "Thumbprint": thumbprint,
            "Sha256": sha256,
            "GrantRead": tuple(sorted(grant_read)),
            "Method": method,
        }
        if allow_same_subject:
            asked["AllowSameSubject"] = True
        return self._change(
            "Install-SssCertificate",
            order,
            asked,
            CertificatePresence,
            InstalledCertificate,
            _INSTALL_S,
        )

    def set_key_reader(
        self, order: Order, *, thumbprint: Thumbprint, roles: Collection[ReaderRole], access: Access
    ) -> Change[KeyReaders, KeyReaders]:
        """Let roles read a private key, or take away what the portal added."""
        asked: dict[str, Parameter] = {
            "Thumbprint": thumbprint,
            "Role": tuple(sorted(roles)),
            "Access": access,
        }
        return self._change("Set-SssKeyReader", order, asked, KeyReaders, KeyReaders)

    def set_certificate_state(
        self,
        order: Order,
        *,
        thumbprint: Thumbprint,
        state: CertificateState,
        expect: CertificateState,
    ) -> Change[CertificateStanding, CertificateStanding]:
        """Archive a certificate, bring it back, or remove it with its key; Absent cannot be undone."""
        asked: dict[str, Parameter] = {
            "Thumbprint": thumbprint,
            "State": state,
            "ExpectState": expect,
        }
        return self._change(
            "Set-SssCertificateState", order, asked, CertificateStanding, CertificateStanding
        )

    def set_token_issuer(
        self, order: Order, *, certificate_der: bytes | None, expect_thumbprint: Thumbprint | None
    ) -> Change[TokenIssuerRow, TokenIssuerRow]:
        """Make a certificate the deployment's token issuer, or have none.

        :param certificate_der: public bytes; None removes the row.
        :param expect_thumbprint: the issuer that must be there now; None: none.
        """
        asked: dict[str, Parameter] = {"ExpectThumbprint": expect_thumbprint or ""}
        asked |= (
            {"Absent": True} if certificate_der is None else {"CertificateBytes": certificate_der}
        )
        return self._change(
            "Set-SssTokenIssuer", order, asked | self._account, TokenIssuerRow, TokenIssuerRow
        )

    def set_authorization_server(
        self,
        order: Order,
        *,
        cloud: str = "",
        restore: OperationId | None = None,
        expect_principal_id: str,
        expect_metadata_url: str,
    ) -> Change[AuthorizationServer, AuthorizationServer]:
        """Write the two ServerSettings of a cloud, or put back what an operation of ours replaced.

        :param cloud: Global or GccHigh; or
        :param restore: the operation whose before is put back.
        :param expect_principal_id: what must be there now; '' means not set.
        """
        asked: dict[str, Parameter] = {
            "ExpectPrincipalId": expect_principal_id,
            "ExpectMetadataUrl": expect_metadata_url,
        }
        asked |= {"RestoreOperationId": restore} if restore else {"Cloud": server_table(cloud)}
        return self._change(
            "Set-SssAuthorizationServer",
            order,
            asked | self._account,
            AuthorizationServer,
            AuthorizationServer,
        )

    def set_organization_tenant(
        self,
        order: Order,
        *,
        organization_id: OrganizationId,
        unique_name: str,
        tenant_id: TenantId | None = None,
        restore: OperationId | None = None,
        expect_tenant_id: TenantId | None,
    ) -> Change[OrganizationTenant, OrganizationTenant]:
        """Write an organization's S2STenantId, or put back what an operation of ours replaced.

        :param unique_name: must be that of the id, letter by letter.
        :param expect_tenant_id: what must be there now; None: not set.
        """
        asked: dict[str, Parameter] = {
            "OrganizationId": organization_id,
            "UniqueName": unique_name,
            "ExpectTenantId": expect_tenant_id or "",
        }
        asked |= {"RestoreOperationId": restore} if restore else {"TenantId": tenant_id or ""}
        return self._change(
            "Set-SssOrganizationTenant",
            order,
            asked | self._account,
            OrganizationTenant,
            OrganizationTenant,
        )

    def restart_service(
        self,
        order: Order,
        *,
        service: ServiceName,
        only_if_started_before: datetime,
        timeout_s: int = 300,
    ) -> Change[ServiceRun, ServiceRun]:
        """Restart a service, unless it has started since; it is never killed.

        :param only_if_started_before: by the server's clock.
        :param timeout_s: 30 to 900, for stop and start together.
        """
        asked: dict[str, Parameter] = {
            "Service": service,
            "OnlyIfStartedBeforeUtc": instant(only_if_started_before),
            "TimeoutSeconds": timeout_s,
        }
        patience = timeout_s + 60.0
        return self._change("Restart-SssService", order, asked, ServiceRun, ServiceRun, patience)

    def clear_transfer_files(self, order: Order) -> Change[TransferFiles, TransferFiles]:
        """Delete what a killed product script left behind."""
        return self._change("Clear-SssTransferFile", order, {}, TransferFiles, TransferFiles)

    def _change(
        self,
        function: str,
        order: Order,
        asked: Mapping[str, Parameter],
        before: type[B],
        after: type[A],
        deadline_s: float | None = None,
    ) -> Change[B, A]:
        whole: dict[str, Parameter] = {
            "PortalId": order.portal_id,
            "Epoch": Long(order.epoch),
            "Fence": Long(order.fence),
            "OperationId": order.operation_id,
            "Job": order.job,
            **asked,
        }
        return self._endpoint.ask(
            function, whole, lambda r: read_change(before, after, r), deadline_s
        )


def instant(moment: datetime) -> str:
    """A moment as the contract writes it.

    :raises BadInput: it has no time zone.
    """
    if moment.tzinfo is None:
        raise BadInput("A moment needs a time zone.", code="SSS-INPUT-MOMENT")
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
