from __future__ import annotations

import base64
import datetime as dt

import pytest

from simulator.crm_servers.default_deployment import SALES_ID, SERVICE_ID
from tests.simulator.crm_servers.conftest import ASYNC, LOOK, TOOLS, Crm


def test_a_server_says_what_it_is_and_as_whom_the_endpoint_runs(crm: Crm) -> None:
    server = crm.session(TOOLS, LOOK).result("Get-SssServer")["Server"]

    assert server["Fqdn"] == "crm-app01.contoso.example"
    assert server["Roles"] == ["WebApplication", "DeploymentTools"]
    assert server["RunAsKind"] == "GroupManagedServiceAccount"
    assert server["RunAsIdentity"] == "CONTOSO\\gmsa-sss$"
    assert [pool["Service"] for pool in server["AppPools"]] == ["WebApplicationPool"]
    assert server["Services"] == []
    assert server["SnapInRegistered"] is True


def test_the_async_server_runs_both_async_services_under_one_account(crm: Crm) -> None:
    server = crm.session(ASYNC, LOOK).result("Get-SssServer")["Server"]

    names = [(s["Service"], s["Name"], s["Account"], s["State"]) for s in server["Services"]]
    assert names == [
        ("Async", "MSCRMAsyncService", "CONTOSO\\svc-crmasync", "Running"),
        ("AsyncMaintenance", "MSCRMAsyncService$maintenance", "CONTOSO\\svc-crmasync", "Running"),
    ]
    assert server["RunAsKind"] == "VirtualAccount"
    assert server["AppPools"] == []


def test_the_certificate_in_use_is_listed_with_its_key_readers_and_chain(crm: Crm) -> None:
    found = crm.session(ASYNC, LOOK).result("Get-SssCertificate")["Certificates"]

    (old,) = found
    assert base64.b64decode(old["RawBase64"]) == crm.company.old.der
    assert old["Thumbprint"] == crm.company.old.thumbprint_sha1
    assert (old["KeyStorage"], old["KeySpec"], old["ChainOk"]) == ("Csp", 1, True)
    assert old["FoundBySubject"] == [old["Thumbprint"]]
    readers = {reader["Account"]: reader["Rights"] for reader in old["KeyReaders"]}
    assert readers["CONTOSO\\svc-crmasync"] == "Read"
    assert readers["NT AUTHORITY\\SYSTEM"] == "FullControl"


def test_a_thumbprint_that_is_not_here_is_not_found(crm: Crm) -> None:
    session = crm.session(TOOLS, LOOK)

    assert session.refusal("Get-SssCertificate", Thumbprint="0" * 40) == "CertificateNotFound"
    one = session.result("Get-SssCertificate", Thumbprint=crm.company.old.thumbprint_sha1)
    assert len(one["Certificates"]) == 1


def test_a_chain_that_ends_at_an_unknown_authority_is_partial(crm: Crm) -> None:
    crm.deployment.trusted_issuers = crm.deployment.trusted_issuers[:1]

    (old,) = crm.session(TOOLS, LOOK).result("Get-SssCertificate")["Certificates"]

    assert (old["ChainOk"], old["ChainStatus"]) == (False, ["PartialChain"])


def test_the_deployment_is_told_with_the_tenant_of_the_one_organization_asked_for(
    crm: Crm,
) -> None:
    session = crm.session(TOOLS, LOOK)
    for organization in crm.deployment.organizations:
        organization.tenant_id = "11111111-2222-3333-4444-555555555555"

    whole = session.result("Get-SssDeployment")["Deployment"]
    one = session.result("Get-SssDeployment", OrganizationId=SALES_ID)["Deployment"]

    assert [server["Name"] for server in whole["Servers"]] == [TOOLS, ASYNC]
    assert whole["TokenIssuer"]["Thumbprint"] == crm.company.old.thumbprint_sha1
    assert whole["TokenIssuerCount"] == 1
    assert whole["S2SDefaultAuthorizationServerPrincipalId"] == ""
    assert [o["S2STenantId"] for o in whole["Organizations"]] == [None, None]
    tenants = {o["Id"]: o["S2STenantId"] for o in one["Organizations"]}
    assert tenants == {SALES_ID: "11111111-2222-3333-4444-555555555555", SERVICE_ID: None}


def test_an_unknown_organization_is_not_found(crm: Crm) -> None:
    code = crm.session(TOOLS, LOOK).refusal(
        "Get-SssDeployment", OrganizationId="99999999-0000-0000-0000-000000000000"
    )

    assert code == "OrganizationNotFound"


@pytest.mark.parametrize(
    ("server", "dial", "code"),
    [
        (ASYNC, "", "NotDeploymentTools"),
        (TOOLS, "virtual_account", "NotDeploymentAdministrator"),
        (TOOLS, "deployment_service_unreachable", "DeploymentServiceUnreachable"),
    ],
)
def test_the_deployment_cannot_be_read_everywhere_by_everybody(
    crm: Crm, server: str, dial: str, code: str
) -> None:
    if dial:
        crm.dials.add({"set": f"winrm:{server}/{dial}", "value": True})

    assert crm.session(server, LOOK).refusal("Get-SssDeployment") == code
    if dial == "virtual_account":
        kind = crm.session(server, LOOK).result("Get-SssServer")["Server"]["RunAsKind"]
        assert kind == "VirtualAccount"


def test_egress_is_reported_host_by_host(crm: Crm) -> None:
    crm.deployment.server(ASYNC).unreachable_hosts = ["outlook.office365.com"]
    crm.deployment.server(ASYNC).intercepted_hosts = ["login.microsoftonline.com"]

    result = crm.session(ASYNC, LOOK).result("Test-SssEgress", Cloud="Global")

    seen = {e["Host"]: (e["Tcp"], e["Trusted"], e["TlsProtocol"]) for e in result["Endpoints"]}
    assert seen == {
        "accounts.accesscontrol.windows.net": (True, True, "Tls12"),
        "outlook.office365.com": (False, False, None),
        "login.microsoftonline.com": (True, False, "Tls12"),
    }
    assert result["Proxy"] is None


def test_the_time_is_the_server_clocks(crm: Crm) -> None:
    crm.deployment.server(TOOLS).clock_offset_s = -400.0

    told = dt.datetime.fromisoformat(crm.session(TOOLS).call("Get-SssServer")["ServerTimeUtc"])

    behind = (dt.datetime.now(dt.UTC) - told).total_seconds()
    assert 399 < behind < 420


def test_looks_leave_no_effect(crm: Crm) -> None:
    session = crm.session(TOOLS, LOOK)
    for function in ("Get-SssServer", "Get-SssCertificate", "Get-SssDeployment"):
        session.result(function)

    assert crm.ledger.entries() == []
    assert crm.world.saved == 0
