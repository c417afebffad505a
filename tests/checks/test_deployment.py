from __future__ import annotations

import uuid

from portal.jobs.states import Verdict
from sync_setup.checks.deployment import (
    CrmVersion,
    DeploymentAdministrator,
    DeploymentServers,
    OrganizationEnabled,
    OrganizationName,
)
from sync_setup.models import CrmServer
from tests.checks.company import ASYNC, TOOLS, Company, expect

ADMINISTRATOR, SERVERS = DeploymentAdministrator(), DeploymentServers()
NAME, ENABLED, VERSION = OrganizationName(), OrganizationEnabled(), CrmVersion()
SALES = "deployment/organizations/ContosoSales"


def _rename(company: Company, name: str) -> None:
    company.organization.unique_name = name
    company.organization.save()


def test_the_gmsa_is_deployment_administrator(company: Company) -> None:
    found = expect(company.find(ADMINISTRATOR), Verdict.PASS, "gmsa-sss$")
    assert found.evidence["server"] == TOOLS


def test_a_virtual_account_blocks_and_asks_for_a_gmsa(company: Company) -> None:
    company.simulator.set_dial(f"winrm:{TOOLS}/virtual_account", True)
    found = expect(company.find(ADMINISTRATOR), Verdict.BLOCK, "no Deployment Administrator")
    assert "New-ADServiceAccount" in found.fix
    assert "-GroupManagedServiceAccount" in found.fix
    assert found.evidence["kind"] == "VirtualAccount"


def test_an_account_that_nobody_added_blocks(company: Company) -> None:
    company.arrange("deployment/administrators", [])
    found = expect(company.find(ADMINISTRATOR), Verdict.BLOCK, "gmsa-sss$")
    assert "New-CrmDeploymentAdministrator CONTOSO\\gmsa-sss$" in found.fix


def test_the_wrong_server_as_tools_server_blocks(company: Company) -> None:
    servers = CrmServer.objects.filter(deployment=company.organization.deployment)
    servers.filter(name=TOOLS).update(has_deployment_tools=False)
    servers.filter(name=ASYNC).update(has_deployment_tools=True)
    expect(company.find(ADMINISTRATOR), Verdict.BLOCK, ASYNC, "does not have the Deployment Tools")


def test_a_deployment_web_service_that_is_down_cannot_be_judged(company: Company) -> None:
    company.simulator.set_dial(f"winrm:{TOOLS}/deployment_service_unreachable", True)
    expect(company.find(ADMINISTRATOR), Verdict.CANNOT_CHECK)
    expect(company.find(SERVERS), Verdict.CANNOT_CHECK)


def test_every_server_is_registered(company: Company) -> None:
    expect(company.find(SERVERS), Verdict.PASS)


def test_a_server_the_portal_does_not_know_blocks(company: Company) -> None:
    company.organization.deployment.servers.filter(name=ASYNC).delete()
    found = expect(company.find(SERVERS), Verdict.BLOCK, ASYNC, "does not know")
    assert "Install the SssPortal endpoint" in found.fix


def test_a_registered_server_that_is_none_is_a_warning(company: Company) -> None:
    company.organization.deployment.servers.create(name="CRM-OLD01", host="localhost", port=1)
    expect(company.find(SERVERS), Verdict.WARN, "CRM-OLD01")


def test_a_disabled_server_is_a_warning(company: Company) -> None:
    company.arrange_server(ASYNC, state="Disabled")
    expect(company.find(SERVERS), Verdict.WARN, f"{ASYNC} is Disabled")


def test_the_organization_is_there(company: Company) -> None:
    expect(company.find(NAME), Verdict.PASS, "ContosoSales")


def test_the_wrong_case_blocks_and_names_the_right_spelling(company: Company) -> None:
    _rename(company, "contososales")
    found = expect(company.find(NAME), Verdict.BLOCK, "ContosoSales, not contososales")
    assert "ContosoSales" in found.fix


def test_an_unknown_organization_blocks(company: Company) -> None:
    _rename(company, "Fabrikam")
    found = expect(company.find(NAME), Verdict.BLOCK, "no organization Fabrikam")
    assert found.evidence["Get-CrmOrganization names"] == ["ContosoSales", "ContosoService"]
    expect(company.find(ENABLED), Verdict.BLOCK)


def test_an_organization_made_anew_blocks(company: Company) -> None:
    company.organization.organization_id = uuid.uuid4()
    company.organization.save()
    expect(company.find(NAME), Verdict.BLOCK, "another id")


def test_the_organization_is_enabled(company: Company) -> None:
    expect(company.find(ENABLED), Verdict.PASS)


def test_a_disabled_organization_blocks(company: Company) -> None:
    company.arrange(f"{SALES}/state", "Disabled")
    expect(company.find(ENABLED), Verdict.BLOCK, "Disabled")


def test_version_9_is_supported(company: Company) -> None:
    expect(company.find(VERSION), Verdict.PASS, "9.1.31.21", "2027-04-01")


def test_version_8_blocks_with_the_end_of_its_support(company: Company) -> None:
    company.arrange(f"{SALES}/version", "8.2.30.4")
    expect(company.find(VERSION), Verdict.BLOCK, "8.2.30.4", "2026-05-25")


def test_an_unknown_version_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, version="7.0.0.3543")
    expect(company.find(VERSION), Verdict.BLOCK, ASYNC, "not 9.x")


def test_mixed_updates_are_a_warning(company: Company) -> None:
    company.arrange_server(ASYNC, version="9.1.28.9")
    expect(company.find(VERSION), Verdict.WARN, "different versions")
