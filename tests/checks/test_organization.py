from __future__ import annotations

import json

import pytest

from portal.jobs.states import Verdict
from sync_setup import actions
from sync_setup.checks.organization import (
    APPROVE,
    ApprovalSwitches,
    EmailChannel,
    EnvironmentOfOrganization,
    WebApiPrivileges,
    WebApiSignIn,
)
from tests.checks.company import Company, expect

SIGN_IN, PRIVILEGES, CHANNEL = WebApiSignIn(), WebApiPrivileges(), EmailChannel()
APPROVAL, ENVIRONMENT = ApprovalSwitches(), EnvironmentOfOrganization()


def _sign_in_as(company: Company, username: str, password: str) -> None:
    deployment = company.organization.deployment
    actions.set_deployment_access(
        deployment,
        by=company.admin,
        crm_username=username,
        crm_password=password,
        winrm_username=deployment.winrm_username,
        winrm_credential="",
    )


def _take_privileges(company: Company, *names: str) -> None:
    """The portal's role without these privileges."""
    role_id = company.find_record("role", "name", "SSS Portal")
    role = company.table("role")[role_id]
    role["~privileges"] = [name for name in role["~privileges"] if name not in names]
    path = ["databases", "ContosoSales", "tables", "role", role_id]
    company.arrange(json.dumps(path), role)


def test_the_portal_signs_in(company: Company) -> None:
    found = expect(company.find(SIGN_IN), Verdict.PASS, "svc-sssportal", "Contoso Sales")
    assert found.evidence["sign-in"] == "negotiate"


def test_a_wrong_password_blocks(company: Company) -> None:
    _sign_in_as(company, "CONTOSO\\svc-sssportal", "not the password")
    found = expect(company.find(SIGN_IN), Verdict.BLOCK)
    assert "not the password" not in str(found)


def test_a_windows_account_that_is_no_user_blocks(company: Company) -> None:
    account = company.simulator.addresses["winrm_user"]["look"]
    _sign_in_as(company, account["username"], account["password"])
    expect(company.find(SIGN_IN), Verdict.BLOCK)


def test_no_credential_blocks(company: Company) -> None:
    deployment = company.organization.deployment
    deployment.crm_password = None
    deployment.save()
    expect(company.find(SIGN_IN), Verdict.BLOCK, "no credential")


def test_another_organization_behind_the_address_blocks(company: Company) -> None:
    company.organization.unique_name = "contososales"
    company.organization.save()
    expect(company.find(SIGN_IN), Verdict.BLOCK, "ContosoSales, not contososales")


def test_nothing_behind_the_address_blocks(company: Company) -> None:
    company.organization.unique_name = "Fabrikam"
    company.organization.save()
    expect(company.find(SIGN_IN), Verdict.BLOCK)


@pytest.mark.parametrize(("mode", "verdict"), [(2, Verdict.BLOCK), (1, Verdict.WARN)])
def test_the_access_mode_counts(company: Company, mode: int, verdict: Verdict) -> None:
    company.arrange_user(company.portal_user_id, accessmode=mode)
    expect(company.find(SIGN_IN), verdict)


def test_dynamics_out_of_order_cannot_be_judged(company: Company) -> None:
    company.simulator.add_dial(where="crm", fault="status", status=503, times=-1)
    for check in (SIGN_IN, PRIVILEGES, CHANNEL, ENVIRONMENT):
        expect(company.find(check), Verdict.CANNOT_CHECK)


def test_every_privilege_is_held(company: Company) -> None:
    found = expect(company.find(PRIVILEGES), Verdict.PASS)
    assert found.evidence["lacking"] == []


def test_a_missing_privilege_blocks(company: Company) -> None:
    _take_privileges(company, "prvWriteMailbox")
    expect(company.find(PRIVILEGES), Verdict.BLOCK, "prvWriteMailbox")


def test_defaults_need_one_more(company: Company) -> None:
    _take_privileges(company, "prvWriteOrganization")
    expect(company.find(PRIVILEGES), Verdict.PASS)
    company.inputs["set_defaults"] = True
    expect(company.find(PRIVILEGES), Verdict.BLOCK, "prvWriteOrganization")


def test_not_being_allowed_to_approve_is_a_warning(company: Company) -> None:
    _take_privileges(company, APPROVE)
    expect(company.find(PRIVILEGES), Verdict.WARN, "approve")


def test_a_user_without_a_role_blocks(company: Company) -> None:
    company.arrange_user(company.portal_user_id, **{"~roles": []})
    expect(company.find(PRIVILEGES), Verdict.BLOCK)


def test_server_side_synchronization_passes(company: Company) -> None:
    expect(company.find(CHANNEL), Verdict.PASS)


def test_the_email_router_blocks(company: Company) -> None:
    company.arrange_organization_record(emailconnectionchannel=1)
    found = expect(company.find(CHANNEL), Verdict.BLOCK, "Email Router")
    assert "Server-Side Synchronization" in found.fix


def test_a_channel_that_is_not_told_cannot_be_judged(company: Company) -> None:
    company.arrange_organization_record(emailconnectionchannel=None)
    expect(company.find(CHANNEL), Verdict.CANNOT_CHECK)


def test_approval_switches_are_shown(company: Company) -> None:
    found = expect(company.find(APPROVAL), Verdict.PASS)
    assert found.evidence["users"] is True
    assert found.evidence["the pilot is approved"] is True


def test_processing_without_approval_is_a_warning(company: Company) -> None:
    company.arrange_organization_record(requireapprovalforqueueemail=False)
    expect(company.find(APPROVAL), Verdict.WARN, "queues")


def test_a_pilot_that_nobody_can_approve_blocks(company: Company) -> None:
    _take_privileges(company, APPROVE)
    expect(company.find(APPROVAL), Verdict.PASS)
    company.arrange_mailbox(company.pilot_id, emailrouteraccessapproval=0)
    expect(company.find(APPROVAL), Verdict.BLOCK, "not approved")


def test_production_passes(company: Company) -> None:
    expect(company.find(ENVIRONMENT), Verdict.PASS, "production")


def test_a_copy_is_a_warning(company: Company) -> None:
    company.organization.environment = "copy"
    company.organization.save()
    expect(company.find(ENVIRONMENT), Verdict.WARN, "copy")


def test_a_copy_with_primary_mailboxes_blocks(company: Company) -> None:
    company.organization.environment = "test"
    company.organization.save()
    company.arrange_mailbox(company.pilot_id, orgmarkedasprimaryforexchangesync=True)
    found = expect(company.find(ENVIRONMENT), Verdict.BLOCK, "1 mailbox", "primary")
    assert "deactivate every email server profile" in found.fix


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("ContosoUAT", Verdict.WARN), ("contoso_test", Verdict.WARN), ("LatestDevices", Verdict.PASS)],
)
def test_production_that_sounds_like_a_test_is_a_warning(
    company: Company, name: str, verdict: Verdict
) -> None:
    company.arrange("deployment/organizations/ContosoSales/unique_name", name)
    company.arrange(f"databases/{name}", company.simulator.world("databases", "ContosoSales"))
    company.organization.unique_name = name
    company.organization.save()
    found = expect(company.find(ENVIRONMENT), verdict)
    assert ("sounds like a test" in found.finding) == (verdict == Verdict.WARN)
