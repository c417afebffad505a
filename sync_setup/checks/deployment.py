"""The CRM deployment: may it be read and written, and is the organization there?"""

from __future__ import annotations

from portal.errors import Refused
from portal.jobs.checks import Found
from sync_setup import ews
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import DEPLOYMENT, SetupCheck


class DeploymentAdministrator(SetupCheck):
    """Only a Deployment Administrator may read and write the deployment; a virtual account cannot be one.

    On the network a virtual account is the computer's account, which Deployment Manager does not take.
    """

    key = "deployment-administrator"
    title = "The endpoint on the Deployment Tools server is Deployment Administrator"
    group = DEPLOYMENT
    source = sources.DEPLOYMENT_ADMINISTRATORS

    def judge(self, seen: Readings) -> Found:
        server = seen.context.tools_server
        facts, findings = seen.server(server), Findings()
        findings.evidence = {
            "server": server.name,
            "runs as": facts.run_as_identity,
            "kind": facts.run_as_kind,
        }
        try:
            findings.evidence["Deployment web service"] = seen.deployment.deployment_service_url
        except Refused as error:
            findings.evidence["code"] = error.code
            if error.code.endswith("NotDeploymentAdministrator"):
                findings.block(
                    f"{facts.run_as_identity} is no Deployment Administrator",
                    *_become_administrator(server.name, facts.run_as_identity, facts.run_as_kind),
                )
            elif error.code.endswith("NotDeploymentTools"):
                findings.block(
                    f"{server.name} does not have the Deployment Tools",
                    "Mark the server that has the Deployment Tools role in the deployment's connection.",
                )
            else:
                raise
        return findings.found(f"{facts.run_as_identity} is Deployment Administrator.")


class DeploymentServers(SetupCheck):
    """The portal knows every server of the deployment: one that is forgotten goes on with the old key."""

    key = "deployment-servers"
    title = "Every server of the deployment is registered"
    group = DEPLOYMENT
    source = sources.GET_CRM_SERVER

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        known = {server.name.lower() for server in seen.servers}
        listed_names = {server.name.lower() for server in seen.deployment.servers}
        for server in seen.deployment.servers:
            findings.evidence[server.name] = f"{', '.join(server.roles)}; {server.state}"
            if server.name.lower() not in known:
                findings.block(
                    f"the deployment has a server {server.name} that the portal does not know",
                    f"Install the SssPortal endpoint on {server.name}.",
                    f"Register {server.name} with its WinRM address on the deployment's page.",
                )
            elif server.state != "Enabled":
                findings.warn(
                    f"{server.name} is {server.state} in the deployment",
                    f"Enable {server.name} in Deployment Manager, or take it out of the deployment.",
                )
        for row in seen.servers:
            if row.name.lower() not in listed_names:
                findings.warn(
                    f"{row.name} is registered here and no server of the deployment",
                    f"Take {row.name} out of the deployment's connection.",
                )
        return findings.found("Get-CrmServer names exactly the registered servers.")


class OrganizationName(SetupCheck):
    """The organization is there under exactly this name: upper and lower case count."""

    key = "organization-name"
    title = "The organization exists under exactly this name"
    group = DEPLOYMENT
    source = sources.GET_CRM_ORGANIZATION

    def judge(self, seen: Readings) -> Found:
        name, findings = seen.context.organization.unique_name, Findings()
        names = [organization.unique_name for organization in seen.deployment.organizations]
        findings.evidence = {"registered as": name, "Get-CrmOrganization names": names}
        alike = [other for other in names if other.lower() == name.lower()]
        if seen.organization is None and alike:
            findings.block(
                f"it is spelled {listed(alike)}, not {name}",
                f"Register the organization again as {alike[0]}, in exactly that spelling.",
            )
        elif seen.organization is None:
            findings.block(
                f"the deployment has no organization {name}",
                "Copy the unique name from Get-CrmOrganization, not the display name.",
                "Make sure that the organization is registered with the right deployment.",
            )
        else:
            findings.evidence["id"] = seen.organization.id
            known = seen.context.organization.organization_id
            if known is not None and str(known) != seen.organization.id:
                findings.block(
                    f"{name} has another id than when it was registered: it was made anew",
                    "Register the organization again; what was planned for the old one does not hold.",
                )
        return findings.found(f"The deployment has the organization {name}.")


class OrganizationEnabled(SetupCheck):
    """A disabled organization takes no settings and runs no synchronization."""

    key = "organization-enabled"
    title = "The organization is enabled"
    group = DEPLOYMENT
    source = sources.GET_CRM_ORGANIZATION

    def judge(self, seen: Readings) -> Found:
        found, findings = seen.organization, Findings()
        if found is None:
            findings.block(
                "there is no organization of this name",
                "Put the name right first: see the check of it.",
            )
            return findings.found("")
        findings.evidence = {"state": found.state, "display name": found.friendly_name}
        if found.state != "Enabled":
            findings.block(
                f"{found.unique_name} is {found.state}",
                f"In Deployment Manager, Organizations, enable {found.unique_name}.",
            )
        return findings.found(f"{found.unique_name} is enabled.")


class CrmVersion(SetupCheck):
    """Microsoft supports version 9 only, and that only until EWS ends."""

    key = "crm-version"
    title = "The version of Dynamics is supported"
    group = DEPLOYMENT
    source = ews.VERSION_8_ENDS.source

    def judge(self, seen: Readings) -> Found:
        findings, deployment = Findings(), seen.deployment
        found = seen.organization
        version = found.version if found else ""
        servers = {server.name: server.version for server in deployment.servers}
        findings.evidence = {"organization": version, **servers}
        update = "Update every server and the organization to version 9.1."
        for name, one in {"the organization": version, **servers}.items():
            if one.startswith("8."):
                findings.block(
                    f"{name} has {one}, and support of 8.x with Exchange Online ended on "
                    f"{ews.VERSION_8_ENDS.on}",
                    update,
                )
            elif not one.startswith("9."):
                findings.block(
                    f"{name} has the version {one or 'unknown'}, which is not 9.x", update
                )
        if len(set(servers.values())) > 1:
            findings.warn(
                "the servers have different versions", "Bring every server to the same update."
            )
        return findings.found(f"{version} is supported until {ews.END.on}.")


def _become_administrator(server: str, identity: str, kind: str) -> tuple[str, ...]:
    if kind != "VirtualAccount":
        return (
            f"Add {identity} in Deployment Manager, Deployment Administrators, or by "
            f"New-CrmDeploymentAdministrator {identity}",
            f"Add {identity} to the group PrivUserGroup of the deployment in Active Directory.",
            f"Make it a member of the local Administrators on {server}, and check again.",
        )
    return (
        "Make a group managed service account: New-ADServiceAccount gmsa-sss -DNSHostName … "
        f"-PrincipalsAllowedToRetrieveManagedPassword {server}$",
        f"On {server}, install it: Install-ADServiceAccount gmsa-sss",
        f"Make it a member of the local Administrators on {server} and of PrivUserGroup.",
        "Make it a Deployment Administrator: New-CrmDeploymentAdministrator DOMAIN\\gmsa-sss$",
        f"On {server}, run Install-SssPortal.ps1 again with -GroupManagedServiceAccount DOMAIN\\gmsa-sss$",
    )
