from __future__ import annotations

import uuid

from portal.jobs.states import Verdict
from sync_setup.checks.pilot import PilotAddress, PilotMailbox, TenantDomain
from tests.checks.company import PILOT, Company, expect

MAILBOX, ADDRESS, DOMAIN = PilotMailbox(), PilotAddress(), TenantDomain()


def test_the_pilot_can_be_tested(company: Company) -> None:
    found = expect(company.find(MAILBOX), Verdict.PASS, "SSS Pilot")
    assert found.evidence["mailbox"] == company.pilot_id


def test_no_pilot_blocks(company: Company) -> None:
    company.inputs["pilot"] = ""
    expect(company.find(MAILBOX), Verdict.BLOCK, "No pilot mailbox")
    for check in (ADDRESS, DOMAIN):
        expect(company.find(check), Verdict.CANNOT_CHECK, "No pilot mailbox")


def test_an_address_that_nobody_has_blocks(company: Company) -> None:
    company.inputs["pilot"] = "o'nobody&x=1@contoso.example"
    expect(company.find(MAILBOX), Verdict.BLOCK, "0 mailboxes")


def test_a_mailbox_id_that_is_gone_blocks(company: Company) -> None:
    company.inputs["pilot"] = str(uuid.uuid4())
    expect(company.find(MAILBOX), Verdict.BLOCK)


def test_an_address_that_two_have_blocks(company: Company) -> None:
    other = next(key for key in company.table("mailbox") if key != company.pilot_id)
    company.arrange_mailbox(other, emailaddress=PILOT)
    expect(company.find(MAILBOX), Verdict.BLOCK, "2 mailboxes")


def test_an_inactive_mailbox_blocks(company: Company) -> None:
    company.arrange_mailbox(company.pilot_id, statecode=1)
    expect(company.find(MAILBOX), Verdict.BLOCK, "inactive")


def test_a_forward_mailbox_blocks(company: Company) -> None:
    company.arrange_mailbox(company.pilot_id, isforwardmailbox=True)
    expect(company.find(MAILBOX), Verdict.BLOCK, "forward mailbox")


def test_a_mailbox_without_an_address_blocks(company: Company) -> None:
    company.inputs["pilot"] = company.pilot_id
    company.arrange_mailbox(company.pilot_id, emailaddress=None)
    expect(company.find(MAILBOX), Verdict.BLOCK, "no email address")


def test_a_queue_blocks(company: Company) -> None:
    queue = next(iter(company.table("queue").values()))
    company.inputs["pilot"] = queue["emailaddress"]
    expect(company.find(MAILBOX), Verdict.BLOCK, "queue")


def test_a_mailbox_of_nobody_blocks(company: Company) -> None:
    company.arrange_mailbox(company.pilot_id, _regardingobjectid_value=None)
    expect(company.find(MAILBOX), Verdict.BLOCK, "of nobody")


def test_a_disabled_user_blocks(company: Company) -> None:
    company.arrange_user(company.pilot_user_id, isdisabled=True)
    expect(company.find(MAILBOX), Verdict.BLOCK, "user is disabled")


def test_a_rejected_address_is_a_warning(company: Company) -> None:
    company.arrange_mailbox(company.pilot_id, emailrouteraccessapproval=3)
    expect(company.find(MAILBOX), Verdict.WARN, "rejected")


def test_a_mailbox_in_use_is_a_warning(company: Company) -> None:
    profile = next(iter(company.table("emailserverprofile")))
    company.arrange_mailbox(company.pilot_id, _emailserverprofile_value=profile)
    expect(company.find(MAILBOX), Verdict.WARN, "another server profile")


def test_mailbox_and_user_agree(company: Company) -> None:
    company.arrange_user(company.pilot_user_id, internalemailaddress=PILOT.title())
    expect(company.find(ADDRESS), Verdict.PASS)


def test_somebody_elses_address_blocks(company: Company) -> None:
    company.arrange_user(company.pilot_user_id, internalemailaddress="ceo@contoso.example")
    expect(company.find(ADDRESS), Verdict.BLOCK, "ceo@contoso.example")


def test_the_tenant_owns_the_domain(company: Company) -> None:
    expect(company.find(DOMAIN), Verdict.PASS, "contoso.example")


def test_a_domain_of_another_customer_blocks(company: Company) -> None:
    company.arrange("tenants/0/domains/0", "fabrikam.example")
    found = expect(company.find(DOMAIN), Verdict.BLOCK, "contoso.example", "no verified domain")
    assert "another customer's" in found.fix
