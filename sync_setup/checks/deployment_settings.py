"""What the deployment's settings say now, and who else is at work on them."""

from __future__ import annotations

from portal.jobs.checks import Found
from portal.jobs.models import ResourceLock
from portal.jobs.states import JobState
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import DEPLOYMENT, SetupCheck


class ClaimsAndIfd(SetupCheck):
    """Internet-facing deployment was a prerequisite once and is none now: both are shown, neither blocks."""

    key = "claims"
    title = "Claims and internet-facing deployment"
    group = DEPLOYMENT
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        deployment, findings = seen.deployment, Findings()
        findings.evidence = {
            "claims": deployment.claims_enabled,
            "internet-facing deployment": deployment.ifd_enabled,
            "OAuth": deployment.oauth_enabled,
        }
        if not deployment.claims_enabled:
            findings.warn(
                "claims-based authentication is off, which guides up to 2020 asked for and "
                "Microsoft's present page does not",
                "Go on as it is: synchronization does not need it, and the portal signs in by Negotiate.",
                "If a pilot fails all the same with a token error, configure claims, then "
                "internet-facing deployment, in Deployment Manager.",
            )
        elif not deployment.ifd_enabled:
            findings.warn(
                "claims are on and internet-facing deployment is off, which guides up to 2020 asked "
                "for and Microsoft's present page does not",
                "Go on as it is: synchronization needs no address on the internet.",
                "If a pilot fails all the same, run the wizard Configure Internet-Facing Deployment.",
            )
        elif not deployment.oauth_enabled:
            findings.warn(
                "claims are on and OAuth is off, so that nobody can sign in to the Web API by a token",
                "In Windows PowerShell on the Deployment Tools server: Add-PSSnapin "
                "Microsoft.Crm.PowerShell; $s = Get-CrmSetting -SettingType OAuthClaimsSettings; "
                "$s.Enabled = $true; Set-CrmSetting $s",
                "Or register the organization's internal address, where Negotiate works.",
            )
        return findings.found("Claims, internet-facing deployment and OAuth are on.")


class AuthorizationServerSettings(SetupCheck):
    """Where the deployment asks for tokens now; both values are the whole deployment's."""

    key = "authorization-server"
    title = "The authorization server is not set for something else"
    group = DEPLOYMENT
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        deployment, cloud, findings = seen.deployment, seen.context.cloud, Findings()
        principal, url = (
            deployment.authorization_principal_id,
            deployment.authorization_metadata_url,
        )
        findings.evidence = {"principal": principal or None, "metadata URL": url or None}
        foreign = [
            now
            for now, wanted in (
                (principal, cloud.authorization_principal_id),
                (url, cloud.metadata_url),
            )
            if now and now.lower() != wanted.lower()
        ]
        if foreign:
            findings.warn(
                f"it is set to {listed(foreign)}, which the plan replaces for every organization "
                "of the deployment",
                "Find out who set it, and for what; the servers record the old values for the undo.",
            )
        return findings.found("It is not set yet, or set as it is to be.")


class TokenIssuerRow(SetupCheck):
    """There is at most one token issuer, found in the usual way: else its undo would not be certain."""

    key = "token-issuer"
    title = "There is at most one token issuer"
    group = DEPLOYMENT
    source = sources.SET_CRM_CERTIFICATE

    def judge(self, seen: Readings) -> Found:
        deployment, findings = seen.deployment, Findings()
        issuer = deployment.token_issuer
        findings.evidence = {
            "rows": deployment.token_issuer_count,
            "now": issuer.thumbprint if issuer else None,
            "name": issuer.name if issuer else None,
        }
        if deployment.token_issuer_count > 1:
            findings.block(
                f"the configuration database has {deployment.token_issuer_count} token issuers",
                "List them: Get-CrmCertificate | Where-Object CertificateType -eq S2STokenIssuer",
                "Remove those that are not in use: Remove-CrmCertificate -Id …",
            )
        if issuer is not None:
            way = (issuer.store_location, issuer.store_name, issuer.store_find_type)
            findings.evidence["found by"] = "\\".join(way[:2]) + f", {way[2]}"
            if way != ("LocalMachine", "My", "FindBySubjectDistinguishedName"):
                findings.warn(
                    "CRM finds the present token issuer in an unusual way, which the undo would not restore",
                    "Write down the row as it is: Get-CrmCertificate",
                )
        return findings.found("There is one token issuer, or none yet.")


class OtherJobs(SetupCheck):
    """Another job that works on the same things makes this one wait, or its plan out of date."""

    key = "other-jobs"
    title = "No other job works on the same things"
    group = DEPLOYMENT
    source = "SSS Portal: locks of running jobs"

    def judge(self, seen: Readings) -> Found:
        context, findings = seen.context, Findings()
        names = {
            context.tenant.resource: f"the tenant {context.tenant}",
            context.deployment.resource: f"the deployment {context.deployment}",
            context.organization.resource: f"the organization {context.organization}",
            f"mailboxes:{context.organization.pk}": f"mailboxes of {context.organization}",
        } | {server.resource: server.name for server in seen.servers}
        locks = ResourceLock.objects.filter(resource__in=names).select_related("job")
        for lock in locks.order_by("job", "resource"):
            job, what = lock.job, names[lock.resource]
            findings.evidence[what] = f"{job.name}, {job.get_state_display()}"
            findings.warn(
                f"{job.name} works on {what}",
                f"Decide in {job.name} how it goes on: it waits for a person."
                if job.state in (JobState.NEEDS_PERSON, JobState.OUTCOME_UNKNOWN)
                else f"Wait until {job.name} has ended, and check again: it may change what this plan sees.",
            )
        return findings.found("No other job holds any of them.")
