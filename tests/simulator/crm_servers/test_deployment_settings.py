from __future__ import annotations

import uuid
from typing import Any

import pytest
from pypsrp.complex_objects import PSCredential

from simulator.crm_servers.default_deployment import SALES_ID, SERVICE_ID
from simulator.crm_servers.key_import import imported
from simulator.crm_servers.opened_pfx import open_pfx
from simulator.deployment import StoredCertificate
from tests.simulator.crm_servers.conftest import ASYNC, TOOLS, Crm, Session, change

ISSUER, SERVER, TENANT = (
    "Set-SssTokenIssuer",
    "Set-SssAuthorizationServer",
    "Set-SssOrganizationTenant",
)
TENANT_ID = "2b7c1d3e-4f50-4a61-8b72-9c83ad94be05"
ACS = "00000001-0000-0000-c000-000000000000"
GLOBAL_URL = "https://accounts.accesscontrol.windows.net/metadata/json/1"
NOT_SET = {"ExpectPrincipalId": "", "ExpectMetadataUrl": ""}


def with_new_certificate(crm: Crm) -> StoredCertificate:
    pfx = open_pfx(crm.company.new.to_pfx("Any-Password-1"), "Any-Password-1")
    certificate = imported(pfx, as_cng=False)
    crm.deployment.server(TOOLS).certificates.append(certificate)
    return certificate


def switch(crm: Crm, **own: Any) -> dict[str, Any]:
    given = {
        "CertificateBytes": crm.company.new.der,
        "ExpectThumbprint": crm.company.old.thumbprint_sha1,
    }
    return change(**(given | own))


def tenant(**own: Any) -> dict[str, Any]:
    given = {"OrganizationId": SALES_ID, "UniqueName": "ContosoSales", "ExpectTenantId": ""}
    return change(**(given | own))


def as_administrator(session: Session, user: str, password: str) -> PSCredential:
    session.pool.exchange_keys()
    return PSCredential(username=user, password=password)  # type: ignore[no-untyped-call]


def test_the_token_issuer_is_switched_read_back_and_switched_back(crm: Crm) -> None:
    with_new_certificate(crm)
    session, old, new = crm.session(), crm.company.old, crm.company.new

    there = session.result(ISSUER, **switch(crm))
    back = switch(crm, CertificateBytes=old.der, ExpectThumbprint=new.thumbprint_sha1)
    again = session.result(ISSUER, **back)

    assert there["Before"]["TokenIssuer"]["Thumbprint"] == old.thumbprint_sha1
    assert there["After"]["TokenIssuer"]["Thumbprint"] == new.thumbprint_sha1
    assert there["After"]["TokenIssuer"]["StoreFindType"] == "FindBySubjectDistinguishedName"
    assert there["After"]["TokenIssuer"]["Id"] == there["Before"]["TokenIssuer"]["Id"]
    assert again["After"] == there["Before"]
    assert crm.effects() == ["deployment.tokenIssuer", "deployment.tokenIssuer"]


def test_the_token_issuer_can_be_taken_away_and_set_anew(crm: Crm) -> None:
    with_new_certificate(crm)
    session, old = crm.session(), crm.company.old.thumbprint_sha1

    gone = session.result(ISSUER, **change(Absent=True, ExpectThumbprint=old))
    none = session.result("Get-SssDeployment")["Deployment"]
    again = session.result(ISSUER, **change(Absent=True, ExpectThumbprint=""))
    anew = session.result(ISSUER, **switch(crm, ExpectThumbprint=""))

    assert gone["After"] == {"TokenIssuer": None}
    assert (none["TokenIssuer"], none["TokenIssuerCount"]) == (None, 0)
    assert again["Changed"] is False
    assert anew["Before"] == {"TokenIssuer": None}
    assert crm.deployment.token_issuer_count == 1


def test_an_unexpected_token_issuer_is_not_overwritten(crm: Crm) -> None:
    with_new_certificate(crm)

    code = crm.session().refusal(ISSUER, **switch(crm, ExpectThumbprint="B" * 40))

    assert code == "UnexpectedState"
    assert crm.ledger.entries() == []


def test_a_token_issuer_must_be_here_usable_and_the_only_one_found(crm: Crm) -> None:
    session = crm.session()

    assert session.refusal(ISSUER, **switch(crm)) == "CertificateNotFound"
    new = with_new_certificate(crm)
    new.key_spec = 2
    assert session.refusal(ISSUER, **switch(crm)) == "CertificateUnusable"
    new.key_spec = 1
    new.archived = True
    assert session.refusal(ISSUER, **switch(crm)) == "CertificateUnusable"
    new.archived = False
    crm.dials.add({"set": f"winrm:{TOOLS}/twin_subject", "value": True})
    assert session.refusal(ISSUER, **switch(crm)) == "SubjectAmbiguous"
    assert session.refusal(ISSUER, **switch(crm, CertificateBytes=b"no DER")) == "BadParameter"


def test_a_row_that_cannot_be_updated_is_noticed_on_reading_back(crm: Crm) -> None:
    with_new_certificate(crm)
    crm.dials.add(
        {"where": f"winrm:{TOOLS}", "fault": "contract", "name": "cannot_update_token_issuer"}
    )

    assert crm.session().refusal(ISSUER, **switch(crm)) == "UnexpectedState"
    assert crm.session().result(ISSUER, **switch(crm))["Changed"] is True


def test_the_authorization_server_comes_from_a_closed_table_and_can_be_restored(crm: Crm) -> None:
    session, first = crm.session(), change(Cloud="Global", **NOT_SET)

    set_ = session.result(SERVER, **first)
    same = session.result(SERVER, **change(Cloud="Global", **NOT_SET))
    expected = {"ExpectPrincipalId": ACS.upper(), "ExpectMetadataUrl": GLOBAL_URL}
    restored = session.result(SERVER, **change(RestoreOperationId=first["OperationId"], **expected))

    assert list(set_["After"].values()) == [ACS, GLOBAL_URL]
    assert list(set_["Before"].values()) == ["", ""]
    assert same["Changed"] is False
    assert restored["After"] == set_["Before"]
    assert crm.deployment.authorization_server_metadata_url == ""


def test_the_gcc_high_cloud_has_an_address_of_its_own(crm: Crm) -> None:
    after = crm.session().result(SERVER, **change(Cloud="GccHigh", **NOT_SET))["After"]

    url = after["S2SDefaultAuthorizationServerMetadataUrl"]
    assert url == "https://login.microsoftonline.us/metadata/json/1"


def test_settings_that_somebody_else_changed_are_not_overwritten(crm: Crm) -> None:
    crm.deployment.authorization_server_metadata_url = "https://elsewhere.example/metadata"

    code = crm.session().refusal(SERVER, **change(Cloud="Global", **NOT_SET))

    assert code == "UnexpectedState"


@pytest.mark.parametrize("function", [SERVER, TENANT])
def test_only_what_this_server_recorded_can_be_restored(crm: Crm, function: str) -> None:
    session, other = crm.session(), tenant(TenantId=TENANT_ID)
    session.result(TENANT, **other)
    expected = NOT_SET if function == SERVER else {}
    foreign = other["OperationId"] if function == SERVER else str(uuid.uuid4())

    given = change(RestoreOperationId=foreign, **expected)
    if function == TENANT:
        given = tenant(RestoreOperationId=foreign)

    assert session.refusal(function, **given) == "NotOurs"


def test_the_tenant_of_an_organization_is_set_and_restored(crm: Crm) -> None:
    session, first = crm.session(), tenant(TenantId=TENANT_ID)

    set_ = session.result(TENANT, **first)
    same = session.result(TENANT, **tenant(TenantId=TENANT_ID, ExpectTenantId=TENANT_ID))
    undo = tenant(RestoreOperationId=first["OperationId"], ExpectTenantId=TENANT_ID)
    restored = session.result(TENANT, **undo)

    assert set_["Before"]["S2STenantId"] is None
    assert set_["After"]["S2STenantId"] == TENANT_ID
    assert same["Changed"] is False
    assert restored["After"] == set_["Before"]
    targets = [entry["target"] for entry in crm.ledger.entries()]
    assert targets == ["ContosoSales", "ContosoSales"]


def test_a_restore_belongs_to_the_organization_that_was_changed(crm: Crm) -> None:
    session, first = crm.session(), tenant(TenantId=TENANT_ID)
    session.result(TENANT, **first)
    other = {"OrganizationId": SERVICE_ID, "UniqueName": "ContosoService"}

    given = tenant(RestoreOperationId=first["OperationId"], **other)

    assert session.refusal(TENANT, **given) == "NotOurs"


def test_a_change_that_found_nothing_to_do_can_be_restored_too(crm: Crm) -> None:
    session = crm.session()
    session.result(SERVER, **change(Cloud="Global", **NOT_SET))
    idle = change(Cloud="Global", **NOT_SET)
    assert session.result(SERVER, **idle)["Changed"] is False

    expected = {"ExpectPrincipalId": ACS, "ExpectMetadataUrl": GLOBAL_URL}
    undo = session.result(SERVER, **change(RestoreOperationId=idle["OperationId"], **expected))

    assert undo["Changed"] is False


def test_two_token_issuers_are_too_many(crm: Crm) -> None:
    crm.deployment.token_issuer_count = 2

    assert crm.session().refusal(ISSUER, **switch(crm)) == "UnexpectedState"
    assert crm.session().result("Get-SssDeployment")["Deployment"]["TokenIssuerCount"] == 2


@pytest.mark.parametrize(
    "own",
    [
        {"UniqueName": "contososales"},
        {"UniqueName": "ContosoService"},
        {"OrganizationId": "00000000-0000-0000-0000-000000000001"},
    ],
)
def test_id_and_exact_name_must_agree(crm: Crm, own: dict[str, str]) -> None:
    code = crm.session().refusal(TENANT, **tenant(TenantId=TENANT_ID, **own))

    assert code == "OrganizationNotFound"


@pytest.mark.parametrize("name", ["Contoso'Sales", "Contoso\nSales", "$(calc)", "a" * 65])
def test_a_name_that_no_organization_can_have_does_not_bind(crm: Crm, name: str) -> None:
    error = crm.session().error(TENANT, **tenant(TenantId=TENANT_ID, UniqueName=name))

    assert error.fq_error == f"ParameterArgumentValidationError,{TENANT}"


def test_a_disabled_organization_and_an_unexpected_tenant_are_refused(crm: Crm) -> None:
    session, sales = crm.session(), crm.deployment.organizations[0]
    sales.tenant_id = "11111111-2222-3333-4444-555555555555"
    assert session.refusal(TENANT, **tenant(TenantId=TENANT_ID)) == "UnexpectedState"
    sales.state = "Disabled"
    assert session.refusal(TENANT, **tenant(TenantId=TENANT_ID)) == "OrganizationDisabled"
    assert crm.ledger.entries() == []


CALLS = [
    (ISSUER, {"Absent": True, "ExpectThumbprint": ""}),
    (SERVER, {"Cloud": "Global", **NOT_SET}),
    (TENANT, tenant(TenantId=TENANT_ID)),
]


@pytest.mark.parametrize(("function", "own"), CALLS)
def test_only_a_deployment_administrator_on_the_tools_server_may(
    crm: Crm, function: str, own: dict[str, Any]
) -> None:
    assert crm.session(ASYNC).refusal(function, **change(**own)) == "NotDeploymentTools"
    crm.deployment.server(TOOLS).run_as_kind = "VirtualAccount"
    assert crm.session().refusal(function, **change(**own)) == "NotDeploymentAdministrator"
    crm.dials.add({"set": "winrm/deployment_service_unreachable", "value": True})
    assert crm.session().refusal(function, **change(**own)) == "DeploymentServiceUnreachable"


def test_a_deployment_credential_stands_in_for_a_virtual_account(crm: Crm) -> None:
    crm.deployment.server(TOOLS).run_as_kind = "VirtualAccount"
    session = crm.session()
    good = as_administrator(session, "CONTOSO\\crmadmin", "Crm-Admin-5")
    wrong = as_administrator(session, "CONTOSO\\crmadmin", "wrong")
    stranger = as_administrator(session, "CONTOSO\\svc-ssslook", "Portal-Sign-In-7")

    for credential in (wrong, stranger):
        code = session.refusal("Get-SssDeployment", DeploymentCredential=credential)
        assert code == "NotDeploymentAdministrator"
    seen = session.result("Get-SssDeployment", DeploymentCredential=good)["Deployment"]
    assert seen["RunAsIdentity"] == "CONTOSO\\crmadmin"
    result = session.result(TENANT, **tenant(TenantId=TENANT_ID, DeploymentCredential=good))
    assert result["Changed"] is True
    assert "Crm-Admin-5" not in str(crm.deployment.server(TOOLS).operations)


def test_running_services_go_by_the_old_settings_until_they_start_again(crm: Crm) -> None:
    session = crm.session()
    service = crm.deployment.server(ASYNC).services[0]

    session.result(TENANT, **tenant(TenantId=TENANT_ID))

    assert service.loaded.tenant_ids[SALES_ID] is None
    crm.dials.add({"set": "winrm/settings_cached", "value": False})
    session.result(SERVER, **change(Cloud="Global", **NOT_SET))
    assert service.loaded.tenant_ids[SALES_ID] == TENANT_ID
    assert service.loaded.authorization_server_metadata_url == GLOBAL_URL
