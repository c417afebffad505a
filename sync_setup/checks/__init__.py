"""What must be so before anything is written, by subject, in the order it is looked at."""

from __future__ import annotations

from typing import Any

from portal.jobs.checks import Check
from sync_setup.checks.answers import EwsAllowList, ExchangeSupportSwitch
from sync_setup.checks.calendar import CloudKnown, EwsCalendar
from sync_setup.checks.certificate import CertificateFit, CertificateValidity
from sync_setup.checks.certificate_stores import (
    CertificateChain,
    CertificateKey,
    CertificateKeySpec,
    SubjectUnambiguous,
)
from sync_setup.checks.consumers import OtherConsumers
from sync_setup.checks.deployment import (
    CrmVersion,
    DeploymentAdministrator,
    DeploymentServers,
    OrganizationEnabled,
    OrganizationName,
)
from sync_setup.checks.deployment_settings import (
    AuthorizationServerSettings,
    ClaimsAndIfd,
    OtherJobs,
    TokenIssuerRow,
)
from sync_setup.checks.egress import AsyncEgress, TlsOfServers
from sync_setup.checks.endpoints import ChangeRole, Clocks, Endpoint, ServersReachable
from sync_setup.checks.organization import (
    ApprovalSwitches,
    EmailChannel,
    EnvironmentOfOrganization,
    WebApiPrivileges,
    WebApiSignIn,
)
from sync_setup.checks.pilot import PilotAddress, PilotMailbox, TenantDomain
from sync_setup.checks.profile import ProfileName, ProfileOwner
from sync_setup.checks.services import PendingReboot, ServiceAccounts, ServicesRunning
from sync_setup.checks.tenant import (
    CrmPrincipal,
    CrmPrincipalKeys,
    HybridConnector,
    OrganizationTenant,
    TenantConsent,
    TenantSignIn,
)

CONNECT_CHECKS: tuple[Check[Any], ...] = (
    CertificateFit(),
    CertificateValidity(),
    CertificateKey(),
    CertificateKeySpec(),
    SubjectUnambiguous(),
    CertificateChain(),
    CloudKnown(),
    EwsCalendar(),
    TenantSignIn(),
    TenantConsent(),
    HybridConnector(),
    CrmPrincipal(),
    CrmPrincipalKeys(),
    OrganizationTenant(),
    ServersReachable(),
    Endpoint(),
    ChangeRole(),
    ServiceAccounts(),
    ServicesRunning(),
    PendingReboot(),
    AsyncEgress(),
    TlsOfServers(),
    Clocks(),
    DeploymentAdministrator(),
    DeploymentServers(),
    OrganizationName(),
    OrganizationEnabled(),
    CrmVersion(),
    ClaimsAndIfd(),
    AuthorizationServerSettings(),
    TokenIssuerRow(),
    OtherJobs(),
    WebApiSignIn(),
    WebApiPrivileges(),
    EmailChannel(),
    ApprovalSwitches(),
    EnvironmentOfOrganization(),
    ProfileName(),
    ProfileOwner(),
    PilotMailbox(),
    PilotAddress(),
    TenantDomain(),
    EwsAllowList(),
    ExchangeSupportSwitch(),
    OtherConsumers(),
)
"""Prerequisites of connecting an organization, group by group; what people recorded comes last."""
