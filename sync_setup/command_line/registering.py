"""Verbs that make known what the portal reaches: tenants, deployments, servers, organizations."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

from portal.command_line.outcome import Outcome
from portal.jobs.models import Installation
from sync_setup import actions
from sync_setup.actions import ServerAddress
from sync_setup.command_line.facts import deployment_facts, organization_facts, tenant_facts
from sync_setup.command_line.places import deployment_for, tenant_for
from sync_setup.command_line.verb import Call, Verb
from sync_setup.models import Organization
from sync_setup.servers import add_server

WINRM_PORT = 5986


def _tenant_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("tenant_id", metavar="TENANT_ID", help="from the Entra admin center")
    parser.add_argument("name", metavar="NAME", help="as people call it")
    parser.add_argument("--cloud", required=True, metavar="KEY", help="such as global or gcc-high")


def _register_tenant(call: Call) -> Outcome:
    options = call.options
    tenant = actions.register_tenant(
        options["tenant_id"], options["name"], options["cloud"], by=call.by
    )
    return Outcome(tenant_facts(tenant), f"Tenant {tenant.name} ({tenant.tenant_id}) registered.")


def server_address(text: str) -> ServerAddress:
    """Read ``NAME=HOST`` or ``NAME=HOST:PORT``, for argparse."""
    name, equals, place = text.partition("=")
    host, _, port = place.rpartition(":") if ":" in place else (place, "", str(WINRM_PORT))
    if not (name and equals and host and port.isdigit() and 0 < int(port) < 65536):
        raise ArgumentTypeError(
            f"{text!r} is no server: write it like CRM-APP01=crm-app01.contoso.local"
        )
    return ServerAddress(name, host, int(port))


def _deployment_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--web-api-url",
        required=True,
        metavar="URL",
        help="https://crm.contoso.example, or https://{organization}.contoso.example",
    )
    parser.add_argument(
        "--server",
        action="append",
        dest="servers",
        required=True,
        type=server_address,
        metavar="NAME=HOST[:PORT]",
        help="every server, named as Get-CrmServer does, with its WinRM address; may be repeated",
    )
    parser.add_argument(
        "--tools", required=True, metavar="NAME", help="the server that has the Deployment Tools"
    )
    parser.add_argument(
        "--ca-file", default="", metavar="PATH", help="PEM file with the authorities to trust"
    )


def _register_deployment(call: Call) -> Outcome:
    options = call.options
    named: list[ServerAddress] = options["servers"]
    servers = [
        ServerAddress(row.name, row.host, row.port, row.name == options["tools"]) for row in named
    ]
    deployment = actions.register_deployment(
        options["name"],
        options["web_api_url"],
        servers,
        by=call.by,
        is_simulated=Installation.objects.filter(mode="rehearsal").exists(),
        ca_file=options["ca_file"],
    )
    text = (
        f"Deployment {deployment.name} registered with {len(servers)} servers. Now its accounts: "
    )
    return Outcome(deployment_facts(deployment), f"{text}sss deployment-access")


def _server_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("deployment", metavar="DEPLOYMENT", help="its name")
    parser.add_argument("server", type=server_address, metavar="NAME=HOST[:PORT]")


def _add_server(call: Call) -> Outcome:
    deployment = deployment_for(call.by, call.options["deployment"])
    server = add_server(deployment, call.options["server"], by=call.by)
    text = (
        f"{server.name} is a server of {deployment.name} now. Run the checks of open drafts again."
    )
    return Outcome(deployment_facts(deployment), text)


def _organization_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("deployment", metavar="DEPLOYMENT", help="its name")
    parser.add_argument(
        "tenant", metavar="TENANT", help="id or name of its Exchange Online's tenant"
    )
    parser.add_argument(
        "unique_name", metavar="UNIQUE_NAME", help="exactly as Get-CrmOrganization spells it"
    )
    parser.add_argument(
        "--environment",
        choices=Organization.Environment.values,
        default=Organization.Environment.PRODUCTION.value,
    )


def _register_organization(call: Call) -> Outcome:
    options = call.options
    organization = actions.register_organization(
        deployment_for(call.by, options["deployment"]),
        tenant_for(call.by, options["tenant"]),
        options["unique_name"],
        by=call.by,
        environment=options["environment"],
    )
    text = f"Organization {organization.unique_name} registered. Now look at it: sss look"
    return Outcome(organization_facts(organization), f"{text} {organization.unique_name}")


VERBS = (
    Verb("register-tenant", "Make an Entra tenant known.", _tenant_arguments, _register_tenant),
    Verb(
        "register-deployment",
        "Make a deployment and its CRM servers known.",
        _deployment_arguments,
        _register_deployment,
    ),
    Verb("add-server", "Make one more server known.", _server_arguments, _add_server),
    Verb(
        "register-organization",
        "Make an organization known.",
        _organization_arguments,
        _register_organization,
    ),
)
