from __future__ import annotations

import datetime as dt

import pytest
from django.utils.timezone import now

from portal.jobs.states import Verdict
from sync_setup.checks.consumers import OtherConsumers
from sync_setup.gateways.identifiers import CRM_APP_ID
from sync_setup.models import RecordedAnswer
from tests.checks.company import Company, expect

CHECK = OtherConsumers()
TENANT_ID = "6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21"


def _record(company: Company, answer: str, *, days_ago: float = 0) -> None:
    RecordedAnswer.objects.create(
        organization=company.organization,
        question=CHECK.key,
        answer=answer,
        person=company.requester,
        at=now() - dt.timedelta(days=days_ago),
    )


def _other_organization_is_connected(company: Company) -> None:
    company.arrange("deployment/organizations/ContosoService/tenant_id", TENANT_ID)


def test_nothing_found_passes_without_an_answer(company: Company) -> None:
    found = expect(company.find(CHECK), Verdict.PASS, "Nothing else was found")
    assert found.evidence == {"signs of others": []}


def test_nothing_found_and_a_bad_answer_block(company: Company) -> None:
    _record(company, "no")
    expect(company.find(CHECK), Verdict.BLOCK, "do not have it")


@pytest.mark.parametrize("sign", ["organization", "sharepoint", "name"])
def test_each_sign_asks_for_an_answer(company: Company, sign: str) -> None:
    if sign == "organization":
        _other_organization_is_connected(company)
        words = "ContosoService"
    elif sign == "sharepoint":
        company.arrange_organization_record(sharepointdeploymenttype=1)
        words = "SharePoint"
    else:
        company.arrange("tenants/0/principals/0/names/-", f"{CRM_APP_ID}/*.fabrikam.example")
        words = "*.fabrikam.example"
    found = expect(company.find(CHECK), Verdict.TO_RECORD, words)
    assert "Record the answer" in found.fix


def test_others_who_are_ready_pass(company: Company) -> None:
    _other_organization_is_connected(company)
    _record(company, "ready")
    found = expect(company.find(CHECK), Verdict.PASS, "have the new key")
    assert found.evidence["who"] == "Mira"


def test_readiness_for_an_earlier_certificate_does_not_count(company: Company) -> None:
    _other_organization_is_connected(company)
    _record(company, "ready", days_ago=1)
    expect(company.find(CHECK), Verdict.TO_RECORD, "older than the choice")


def test_an_old_readiness_is_a_warning(company: Company) -> None:
    _other_organization_is_connected(company)
    certificate = company.certificate
    assert certificate is not None
    certificate.made_at = now() - dt.timedelta(days=50)
    certificate.save()
    _record(company, "ready", days_ago=40)
    expect(company.find(CHECK), Verdict.WARN, "40 days ago")


def test_nothing_else_against_the_signs_is_a_warning(company: Company) -> None:
    _other_organization_is_connected(company)
    _record(company, "none")
    expect(company.find(CHECK), Verdict.WARN, "but ContosoService is connected")


def test_others_who_are_not_ready_block(company: Company) -> None:
    _other_organization_is_connected(company)
    _record(company, "no")
    expect(company.find(CHECK), Verdict.BLOCK)


def test_the_present_token_issuer_changes_nothing_for_others(company: Company) -> None:
    _other_organization_is_connected(company)
    issuer = company.simulator.world("deployment", "token_issuer")
    certificate = company.certificate
    assert certificate is not None
    certificate.thumbprint = issuer["thumbprint"]
    certificate.save()
    expect(company.find(CHECK), Verdict.PASS, "token issuer already")
