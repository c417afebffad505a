from __future__ import annotations

import base64
from typing import Any

from portal.jobs.states import Verdict
from sync_setup import actions
from sync_setup.checks.tenant import (
    CrmPrincipal,
    CrmPrincipalKeys,
    HybridConnector,
    OrganizationTenant,
    TenantConsent,
    TenantSignIn,
)
from tests.checks.company import Company, expect

SIGN_IN, CONSENT, CONNECTOR = TenantSignIn(), TenantConsent(), HybridConnector()
PRINCIPAL, KEYS, ORGANIZATION_TENANT = CrmPrincipal(), CrmPrincipalKeys(), OrganizationTenant()
TENANT_ID = "6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21"
OTHER_TENANT_ID = "b3c9e1d7-5f20-4a6b-8e94-7a1c2d3e4f50"
PERMISSIONS = "tenants/0/applications/1a7b3d2c-5e94-4f8b-a2d6-84c6f9b71e22/permissions"


def _use_app(company: Company, name: str, **changes: str) -> None:
    app = company.simulator.addresses[name] | changes
    actions.set_tenant_access(
        company.organization.tenant,
        by=company.admin,
        access="secret",
        client_id=app["client_id"],
        credential=app["client_secret"],
        keeps=False,
    )


def _keys(company: Company) -> list[dict[str, Any]]:
    return list(company.simulator.world("tenants", 0, "principals", 0, "keys"))


def test_the_setup_app_signs_in(company: Company) -> None:
    found = expect(company.find(SIGN_IN), Verdict.PASS, "Contoso")
    assert found.evidence["tenant of the token"] == TENANT_ID


def test_without_a_setup_app_it_blocks(company: Company) -> None:
    tenant = company.organization.tenant
    tenant.client_id = tenant.credential = None
    tenant.save()
    expect(company.find(SIGN_IN), Verdict.BLOCK, "no setup app")


def test_a_wrong_secret_blocks(company: Company) -> None:
    _use_app(company, "setup_app", client_secret="not the secret")
    found = expect(company.find(SIGN_IN), Verdict.BLOCK)
    assert found.evidence["code"] == "SSS-ENTRA-AADSTS7000215"
    assert "not the secret" not in str(found)


def test_an_app_of_another_customer_blocks(company: Company) -> None:
    _use_app(company, "other_tenant")
    found = expect(company.find(SIGN_IN), Verdict.BLOCK)
    assert found.evidence["code"] == "SSS-ENTRA-AADSTS700016"


def test_a_token_of_another_tenant_blocks(company: Company) -> None:
    """Entra ID leads the plan's tenant id to another customer's tenant, whose app then gets a token."""
    _use_app(company, "other_tenant")
    company.arrange("tenants/1/domains/-", TENANT_ID)
    company.simulator.remove_from_world("tenants/0")
    found = expect(company.find(SIGN_IN), Verdict.BLOCK, OTHER_TENANT_ID, TENANT_ID)
    assert found.evidence["code"] == "SSS-ENTRA-TENANT"


def test_entra_out_of_order_cannot_be_judged(company: Company) -> None:
    company.simulator.add_dial(where="entra", fault="status", status=503, times=-1)
    expect(company.find(SIGN_IN), Verdict.CANNOT_CHECK)


def test_both_permissions_and_no_more(company: Company) -> None:
    found = expect(company.find(CONSENT), Verdict.PASS)
    assert found.evidence["application permissions"] == [
        "Application.ReadWrite.All",
        "Organization.Read.All",
    ]


def test_a_token_without_roles_means_that_nobody_consented(company: Company) -> None:
    _use_app(company, "setup_app_without_permission")
    found = expect(company.find(CONSENT), Verdict.BLOCK, "nobody has consented")
    assert "admin consent" in found.fix


def test_a_missing_permission_blocks(company: Company) -> None:
    company.arrange(PERMISSIONS, ["Application.Read.All", "Organization.Read.All"])
    expect(company.find(CONSENT), Verdict.BLOCK, "Application.ReadWrite.All")


def test_more_than_needed_is_a_warning(company: Company) -> None:
    held = ["Application.ReadWrite.All", "Organization.Read.All", "Mail.ReadWrite"]
    company.arrange(PERMISSIONS, held)
    expect(company.find(CONSENT), Verdict.WARN, "Mail.ReadWrite")


def test_the_hybrid_connector_is_there(company: Company) -> None:
    found = expect(company.find(CONNECTOR), Verdict.PASS)
    assert found.evidence["licences with it"] == ["CRM_HYBRIDCONNECTOR"]


def test_without_the_hybrid_connector_it_blocks(company: Company) -> None:
    company.simulator.remove_from_world("tenants/0/skus/0")
    found = expect(company.find(CONNECTOR), Verdict.BLOCK, "no licence")
    assert "2d11d538-945d-48c6-b609-a5ce54ce7b18" in found.fix


def test_a_suspended_hybrid_connector_blocks(company: Company) -> None:
    company.arrange("tenants/0/skus/0/status", "Suspended")
    expect(company.find(CONNECTOR), Verdict.BLOCK, "Suspended")


def test_licences_that_may_not_be_read_cannot_be_judged(company: Company) -> None:
    company.arrange(PERMISSIONS, ["Application.ReadWrite.All"])
    expect(company.find(CONNECTOR), Verdict.CANNOT_CHECK)


def test_the_crm_principal_is_there(company: Company) -> None:
    expect(company.find(PRINCIPAL), Verdict.PASS, "Dataverse")


def test_a_missing_principal_is_explained_in_the_words_of_the_script(company: Company) -> None:
    company.simulator.remove_from_world("tenants/0/principals/0")
    found = expect(company.find(PRINCIPAL), Verdict.BLOCK, "null-valued expression")
    assert "Hybrid Connector" in found.fix
    expect(company.find(KEYS), Verdict.CANNOT_CHECK)


def test_a_disabled_principal_blocks(company: Company) -> None:
    company.arrange("tenants/0/principals/0/is_enabled", False)
    expect(company.find(PRINCIPAL), Verdict.BLOCK, "disabled")


def test_an_ended_key_is_a_warning(company: Company) -> None:
    found = expect(company.find(KEYS), Verdict.WARN, "1 of 2 keys ended")
    assert "nothing is removed" in found.fix


def test_keys_in_order_pass(company: Company) -> None:
    company.simulator.remove_from_world("tenants/0/principals/0/keys/0")
    expect(company.find(KEYS), Verdict.PASS, "has 1 key;")


def test_the_same_key_twice_is_a_warning(company: Company) -> None:
    company.simulator.remove_from_world("tenants/0/principals/0/keys/0")
    again = _keys(company)[0] | {"key_id": "9f0c1c52-0f3d-4a27-8a55-6b1d1f2e7a01"}
    company.arrange("tenants/0/principals/0/keys/-", again)
    expect(company.find(KEYS), Verdict.WARN, "more than once")


def test_a_key_that_tells_no_thumbprint_is_a_warning(company: Company) -> None:
    company.simulator.remove_from_world("tenants/0/principals/0/keys/0")
    blank = _keys(company)[0] | {
        "key_id": "9f0c1c52-0f3d-4a27-8a55-6b1d1f2e7a02",
        "custom_key_identifier": base64.b64encode(b"somebody's own").decode(),
        "key": "",
    }
    company.arrange("tenants/0/principals/0/keys/-", blank)
    expect(company.find(KEYS), Verdict.WARN, "no thumbprint")


def test_an_organization_without_a_tenant_passes(company: Company) -> None:
    expect(company.find(ORGANIZATION_TENANT), Verdict.PASS, "no tenant id yet")


def test_an_organization_of_this_tenant_passes(company: Company) -> None:
    company.arrange("deployment/organizations/ContosoSales/tenant_id", TENANT_ID)
    expect(company.find(ORGANIZATION_TENANT), Verdict.PASS, "already")


def test_an_organization_of_another_tenant_is_a_warning(company: Company) -> None:
    company.arrange("deployment/organizations/ContosoSales/tenant_id", OTHER_TENANT_ID)
    expect(company.find(ORGANIZATION_TENANT), Verdict.WARN, OTHER_TENANT_ID)


def test_the_tenant_of_an_unknown_organization_cannot_be_judged(company: Company) -> None:
    company.organization.unique_name = "contososales"
    company.organization.save()
    expect(company.find(ORGANIZATION_TENANT), Verdict.CANNOT_CHECK)
