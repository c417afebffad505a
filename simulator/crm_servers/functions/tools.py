"""What the functions of the Deployment Tools server ask before they touch the deployment."""

from __future__ import annotations

from simulator.crm_servers.answers import Refusal
from simulator.crm_servers.call import Call
from simulator.crm_servers.parameters import Credential


def run_as_kind(call: Call) -> str:
    """What the session runs as: the server's own setting, or the dial that takes it away."""
    return "VirtualAccount" if call.is_dialled("virtual_account") else call.server.run_as_kind


def require_deployment_service(call: Call) -> str:
    """The identity under which the Deployment web service lets this call in.

    A virtual account is the computer account on the network and no Deployment Administrator.

    :raises Refusal: NotDeploymentTools, DeploymentServiceUnreachable, NotDeploymentAdministrator.
    """
    if "DeploymentTools" not in call.server.roles:
        raise Refusal("NotDeploymentTools", "The Deployment Tools are not on this server.")
    if call.is_dialled("deployment_service_unreachable"):
        raise Refusal(
            "DeploymentServiceUnreachable",
            f"There was no endpoint listening at {call.deployment.service_url}.",
        )
    credential = call.values.get("DeploymentCredential")
    if isinstance(credential, Credential):
        identity = credential.user_name
        is_known = call.machine.accounts.password_fits(identity, credential.password.text)
    else:
        identity, is_known = call.server.run_as_identity, run_as_kind(call) != "VirtualAccount"
    administrators = [name.casefold() for name in call.deployment.administrators]
    if not is_known or identity.casefold() not in administrators:
        raise Refusal(
            "NotDeploymentAdministrator",
            f"{identity} is not a Deployment Administrator of this deployment.",
        )
    return identity
