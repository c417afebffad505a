"""Get-SssDeployment: servers, organizations and settings, from the Deployment web service."""

from __future__ import annotations

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Look
from simulator.crm_servers.functions.tools import require_deployment_service
from simulator.crm_servers.parameters import DEPLOYMENT_CREDENTIAL, Parameter
from simulator.crm_servers.shapes import deployment_shape


def _run(call: Call) -> Json:
    run_as = require_deployment_service(call)
    organization_id = call.text("OrganizationId")
    if organization_id and call.deployment.organization(organization_id) is None:
        raise Refusal("OrganizationNotFound", "The deployment has no organization with this id.")
    return {"Deployment": deployment_shape(call.deployment, run_as, organization_id)}


GET_DEPLOYMENT = Look(
    "Get-SssDeployment", (Parameter("OrganizationId", "guid"), DEPLOYMENT_CREDENTIAL), _run
)
