"""Set-SssAuthorizationServer: whom CRM asks for tokens; a closed table, or what stood before."""

from __future__ import annotations

from simulator.crm_servers.answers import Json, Refusal
from simulator.crm_servers.call import Call, Change, Outcome
from simulator.crm_servers.functions.restoring import recorded
from simulator.crm_servers.functions.tools import require_deployment_service
from simulator.crm_servers.parameters import DEPLOYMENT_CREDENTIAL, Parameter
from simulator.crm_servers.shapes import authorization_server_shape

ACS = "00000001-0000-0000-c000-000000000000"
METADATA_URLS = {
    "Global": "https://accounts.accesscontrol.windows.net/metadata/json/1",
    "GccHigh": "https://login.microsoftonline.us/metadata/json/1",
}
"""connect-dynamics-365-on-premises-exchange-online.md names both."""


def _run(call: Call) -> Outcome:
    with call.machine.world.lock:
        require_deployment_service(call)
        deployment = call.deployment
        wanted = _wanted(call)
        current = (
            deployment.authorization_server_principal_id,
            deployment.authorization_server_metadata_url,
        )
        before = authorization_server_shape(deployment)
        kept = {"principal_id": current[0], "metadata_url": current[1]}
        if current == wanted:
            return Outcome(False, before, before, kept)
        expected = (call.text("ExpectPrincipalId"), call.text("ExpectMetadataUrl"))
        if (current[0].lower(), current[1]) != (expected[0].lower(), expected[1]):
            raise Refusal("UnexpectedState", "The settings are not what the caller expects.")

        def change() -> Json:
            deployment.authorization_server_principal_id = wanted[0]
            deployment.authorization_server_metadata_url = wanted[1]
            return authorization_server_shape(deployment)

        call.effect("deployment.authorizationServer", "ServerSettings", before, change)
        return Outcome(True, before, authorization_server_shape(deployment), kept)


def _wanted(call: Call) -> tuple[str, str]:
    if call.text("Cloud"):
        return ACS, METADATA_URLS[call.text("Cloud")]
    before = recorded(call)
    return before["principal_id"] or "", before["metadata_url"] or ""


SET_AUTHORIZATION_SERVER = Change(
    "Set-SssAuthorizationServer",
    "deployment",
    (
        Parameter(
            "Cloud", "string", mandatory=True, choices=("Global", "GccHigh"), sets=("Cloud",)
        ),
        Parameter("RestoreOperationId", "guid", mandatory=True, sets=("Restore",)),
        Parameter("ExpectPrincipalId", "string", mandatory=True, allow_empty=True, bounds=(0, 200)),
        Parameter("ExpectMetadataUrl", "string", mandatory=True, allow_empty=True, bounds=(0, 500)),
        DEPLOYMENT_CREDENTIAL,
    ),
    _run,
    secrets=frozenset({"DeploymentCredential"}),
    default_set="Cloud",
)
