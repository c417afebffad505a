"""Can the setup app enter the right tenant, and is there what Dynamics needs?"""

from __future__ import annotations

from portal.errors import BadInput, Missing, Refused
from portal.jobs.checks import Found
from portal.jobs.states import Verdict
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, counted, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import TENANT, SetupCheck
from sync_setup.gateways.claims import WRITE_ROLES, check_claims
from sync_setup.gateways.directory import HYBRID_CONNECTOR_SKU
from sync_setup.gateways.identifiers import CRM_APP_ID, TenantId

# GUESS: the address of the free offer, as Microsoft's page writes it.
SIGN_UP = "https://signup.microsoft.com/Signup?OfferId=2d11d538-945d-48c6-b609-a5ce54ce7b18"
ACQUIRE = (
    f"Let a Global Administrator acquire the free Dynamics 365 Hybrid Connector: {SIGN_UP} "
    "(a billing method may be asked for; nothing is charged, and nobody needs it assigned).",
    "Wait until it shows among the tenant's licences, and check again.",
)


class TenantSignIn(SetupCheck):
    """Entra ID lets the setup app in, into the tenant of this plan and no other."""

    key = "tenant-sign-in"
    title = "The setup app signs in to this tenant"
    group = TENANT
    source = sources.CLIENT_CREDENTIALS

    def judge(self, seen: Readings) -> Found:
        tenant, findings = seen.context.tenant, Findings()
        findings.evidence = {
            "tenant": str(tenant.tenant_id),
            "setup app": str(tenant.client_id or ""),
        }
        try:
            token = seen.token
            check_claims(token, TenantId(str(tenant.tenant_id)), ())
        except (BadInput, Refused, Missing) as error:
            findings.evidence |= {"code": error.code} | getattr(error, "detail", {})
            findings.block(error.message, *error.remedy.splitlines())
            return findings.found("")
        findings.evidence["tenant of the token"] = token.tenant_id
        return findings.found(f"Entra ID gives the setup app a token for {tenant.name}.")


class TenantConsent(SetupCheck):
    """An administrator consented to exactly the permissions the plan needs. A token alone proves nothing."""

    key = "tenant-consent"
    title = "The setup app has its permissions"
    group = TENANT
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        held, findings = set(seen.token.roles), Findings()
        lacking, more = sorted(WRITE_ROLES - held), sorted(held - WRITE_ROLES)
        findings.evidence = {"application permissions": sorted(held)}
        fix = (
            "In Entra ID, open App registrations, the setup app, API permissions.",
            f"Add the Microsoft Graph application permissions {listed(sorted(WRITE_ROLES))}.",
            "Press “Grant admin consent” as a Global Administrator, wait a minute, and check again.",
        )
        if not held:
            findings.block("its token has no permission at all: nobody has consented", *fix)
        elif lacking:
            findings.block(f"it lacks {listed(lacking)}", *fix)
        elif more:
            findings.warn(
                f"it has more than it needs: {listed(more)}",
                f"Take {listed(more)} away from the setup app.",
            )
        return findings.found("It has the two permissions it needs, and no more.")


class HybridConnector(SetupCheck):
    """The free licence without which the tenant does not know Dynamics on-premises."""

    key = "hybrid-connector"
    title = "The tenant has the Dynamics 365 Hybrid Connector"
    group = TENANT
    source = sources.SUBSCRIBED_SKUS

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        found = [
            sku
            for sku in seen.skus
            if HYBRID_CONNECTOR_SKU in (sku.part_number, *sku.service_plans)
        ]
        states = sorted({sku.capability_status for sku in found})
        findings.evidence = {
            "licences with it": [sku.part_number for sku in found],
            "status": states,
            "licences read": len(seen.skus),
        }
        if not found:
            findings.block("no licence of the tenant has the Hybrid Connector", *ACQUIRE)
        elif "Enabled" not in states:
            findings.block(
                f"the Hybrid Connector is {listed(states)}, not Enabled",
                "Open the Microsoft 365 admin center, Billing, Your products, and renew or reactivate "
                "the Hybrid Connector.",
                *ACQUIRE[1:],
            )
        return findings.found("The Hybrid Connector is there and enabled.")


class CrmPrincipal(SetupCheck):
    """The application Dynamics CRM in the tenant: its keys are what Exchange Online recognises CRM by."""

    key = "crm-principal"
    title = "The tenant knows the application of Dynamics"
    group = TENANT
    source = sources.SERVICE_PRINCIPALS

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        findings.evidence = {"application id": CRM_APP_ID}
        try:
            principal = seen.principal
        except Missing as error:
            if not error.code.endswith("NO-PRINCIPAL"):
                raise
            # What Microsoft's script makes of the same situation, so that people recognise it.
            findings.block(
                "it has no application Dynamics CRM, which comes with the Hybrid Connector (where "
                "Microsoft's script ends with “You cannot call a method on a null-valued expression”)",
                *ACQUIRE,
            )
            return findings.found("")
        findings.evidence |= {
            "principal": principal.id,
            "name": principal.display_name,
            "names": list(principal.names),
        }
        if not principal.account_enabled:
            findings.block(
                f"its application {principal.display_name} is disabled",
                "In Entra ID, open Enterprise applications and search for the application id "
                f"{CRM_APP_ID}.",
                "Under Properties set “Enabled for users to sign-in” to Yes, and save.",
            )
        return findings.found(f"{principal.display_name} is there and enabled.")


class CrmPrincipalKeys(SetupCheck):
    """The keys that are there already. All stay; old ones are a risk and a nuisance, not an obstacle."""

    key = "crm-principal-keys"
    title = "The keys of the application of Dynamics are in order"
    group = TENANT
    source = sources.KEY_CREDENTIAL

    def judge(self, seen: Readings) -> Found:
        keys, findings = seen.keys, Findings()
        ended = [key for key in keys if key.ends_at is not None and key.ends_at <= seen.now]
        thumbprints = [key.thumbprint for key in keys if key.thumbprint]
        twice = sorted({one for one in thumbprints if thumbprints.count(one) > 1})
        nameless = [key for key in keys if not key.thumbprint]
        findings.evidence = {
            "keys": len(keys),
            "ended": [f"{key.thumbprint or key.key_id} on {key.ends_at:%Y-%m-%d}" for key in ended],
            "more than once": twice,
        }
        tidy = (
            "Remove them later, in a plan of its own (retire-certificate): nothing is removed here."
        )
        if ended:
            findings.warn(f"{len(ended)} of {counted(len(keys), 'key')} ended already", tidy)
        if twice:
            findings.warn(
                f"{listed(twice)} is there more than once, as Microsoft's script leaves it", tidy
            )
        if nameless:
            findings.warn(
                f"no thumbprint is told for {counted(len(nameless), 'key')}",
                "Find out whose that is.",
            )
        return findings.found(
            f"The application has {counted(len(keys), 'key')}; all stay, and one more can be added."
        )


class OrganizationTenant(SetupCheck):
    """Where the organization gets its tokens from now: a plan must not take it to another customer's."""

    key = "organization-tenant"
    title = "The organization is not connected to another tenant"
    group = TENANT
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        wanted = str(seen.context.tenant.tenant_id)
        organization = seen.organization
        if organization is None:
            return Found(
                Verdict.CANNOT_CHECK,
                f"The deployment has no organization {seen.context.organization.unique_name}.",
                {},
                "Put the organization's name right first: see the check of it.",
            )
        now = seen.tenant_id_of(organization.id)
        evidence = {"S2STenantId": now, "wanted": wanted}
        if now is None:
            return Found(Verdict.PASS, "The organization has no tenant id yet.", evidence)
        if now == wanted:
            return Found(Verdict.PASS, "The organization has this tenant id already.", evidence)
        findings = Findings()
        findings.evidence = evidence
        findings.warn(
            f"the organization is connected to the tenant {now}, and would change to {wanted}",
            "Make sure that the mailboxes have moved to the new tenant.",
            "Otherwise correct the tenant with which the organization is registered.",
        )
        return findings.found("")
