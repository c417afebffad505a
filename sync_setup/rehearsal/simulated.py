"""Make the simulated company known to the portal, as its admin would by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from portal.access.models import Person
from portal.errors import BadInput
from sync_setup import actions
from sync_setup.actions import ServerAddress
from sync_setup.models import Deployment, EntraTenant, Organization
from sync_setup.recorded import QUESTIONS

CLOUD = "simulated"


def write_clouds(addresses: dict[str, Any]) -> None:
    """Put the simulated cloud beside the built-in ones. Its servers write the values of the worldwide cloud."""
    cloud = {
        "key": CLOUD,
        "title": "Simulated Microsoft 365",
        "authority": addresses["entra"],
        "graph": addresses["graph"],
        "ews_url": "https://outlook.office365.com/EWS/Exchange.asmx",
        "metadata_url": "https://accounts.accesscontrol.windows.net/metadata/json/1",
        "server_table": "Global",
        "documented": True,
        "simulated": True,
        "ca_file": addresses["ca"],
    }
    Path(settings.CLOUDS_FILE).write_text(
        json.dumps({"clouds": [cloud]}, indent=1), encoding="utf-8"
    )


def register(
    addresses: dict[str, Any], *, by: Person, name: str = "Contoso CRM"
) -> list[Organization]:
    """Register tenant, deployment, servers and organizations, with the credentials the simulator tells.

    :return: the organizations, in the simulator's order. What is registered already is left as it is.
    """
    tenant = actions.register_tenant(addresses["tenant_id"], "Contoso", CLOUD, by=by)
    give_tenant_access(tenant, addresses, by=by)
    deployment = Deployment.objects.filter(name=name).first()
    if deployment is None:
        deployment = _register_deployment(addresses, name, by)
    known = {row.unique_name: row for row in deployment.organizations.select_related("scope")}
    return [
        known.get(unique_name)
        or actions.register_organization(deployment, tenant, unique_name, by=by)
        for unique_name in addresses["organizations"]
    ]


def give_tenant_access(tenant: EntraTenant, addresses: dict[str, Any], *, by: Person) -> None:
    """Enter the setup app, as the tenant's administrator gave it."""
    app = addresses["setup_app"]
    actions.set_tenant_access(
        tenant,
        by=by,
        access=EntraTenant.Access.SECRET,
        client_id=app["client_id"],
        credential=app["client_secret"],
        keeps=False,
    )


def record_good_answers(organization: Organization, *, by: Person) -> None:
    """Answer every question to people in the way that lets a plan go on."""
    for question in QUESTIONS.values():
        actions.record_answer(
            organization, question.key, question.good[0], by=by, remark="Rehearsal"
        )


def _register_deployment(addresses: dict[str, Any], name: str, by: Person) -> Deployment:
    if not addresses["servers"]:
        raise BadInput("The simulator has no CRM servers.")
    deployment = actions.register_deployment(
        name,
        addresses["crm"],
        [
            ServerAddress(
                server["name"],
                server["host"],
                server["port"],
                has_deployment_tools=server is addresses["servers"][0],
            )
            for server in addresses["servers"]
        ],
        by=by,
        is_simulated=True,
        ca_file=addresses["ca"],
    )
    crm, winrm = addresses["crm_user"], addresses["winrm_user"]["change"]
    return actions.set_deployment_access(
        deployment,
        by=by,
        crm_username=crm["username"],
        crm_password=crm["password"],
        winrm_username=winrm["username"],
        winrm_credential=winrm["password"],
    )
