"""Set-SssOrganizationTenant: the tenant whose Exchange Online an organization talks to."""

from __future__ import annotations

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions.restoring import recorded
from simulator.crm_servers.functions.tools import require_deployment_service
from simulator.crm_servers.parameters import DEPLOYMENT_CREDENTIAL, GUID_OR_EMPTY, Parameter
from simulator.deployment import Organization


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        require_deployment_service(call)
        wanted = call.text("TenantId") or _recorded(call)
        organization = _organization(call)
        current, before = organization.tenant_id, _shape(organization)
        kept = {"organization_id": organization.id, "tenant_id": current}
        if current == wanted:
            return Outcome(False, before, before, kept)
        if (current or "") != call.text("ExpectTenantId"):
            raise Refusal("UnexpectedState", f"S2STenantId is {current or 'not set'}.")

        def change() -> Json:
            organization.tenant_id = wanted
            return _shape(organization)

        call.effect("organization.s2sTenantId", organization.unique_name, before, change)
        return Outcome(True, before, _shape(organization), kept)


def _recorded(call: Call) -> str | None:
    before = recorded(call)
    if before["organization_id"] != call.text("OrganizationId"):
        raise Refusal("NotOurs", "That operation changed another organization.")
    return before["tenant_id"]


def _organization(call: Call) -> Organization:
    organization = call.deployment.organization(call.text("OrganizationId"))
    if organization is None or organization.unique_name != call.text("UniqueName"):
        raise Refusal(
            "OrganizationNotFound", "No organization has both this id and exactly this name."
        )
    if organization.state != "Enabled":
        raise Refusal("OrganizationDisabled", f"{organization.unique_name} is disabled.")
    return organization


def _shape(organization: Organization) -> Json:
    return {
        "OrganizationId": organization.id,
        "UniqueName": organization.unique_name,
        "S2STenantId": organization.tenant_id,
    }


SET_ORGANIZATION_TENANT = Change(
    "Set-SssOrganizationTenant",
    "deployment",
    (
        Parameter("OrganizationId", "guid", mandatory=True),
        Parameter("UniqueName", "string", mandatory=True, pattern="[A-Za-z0-9_-]{1,64}"),
        Parameter("TenantId", "guid", mandatory=True, sets=("Tenant",)),
        Parameter("RestoreOperationId", "guid", mandatory=True, sets=("Restore",)),
        Parameter(
            "ExpectTenantId", "string", mandatory=True, pattern=GUID_OR_EMPTY, allow_empty=True
        ),
        DEPLOYMENT_CREDENTIAL,
    ),
    _run,
    secrets=frozenset({"DeploymentCredential"}),
    default_set="Tenant",
)
