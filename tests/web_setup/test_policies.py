from __future__ import annotations

from portal.access.models import Person
from portal.audit.models import Entry
from portal.jobs.models import ApprovalPolicy
from tests.web_setup.conftest import As
from tests.web_setup.world import Company


def page_of(company: Company) -> str:
    return f"/settings/organizations/{company.sales.scope.slug}/approvals/"


def test_an_admin_says_how_many_people_approve(company: Company, tom: Person, as_: As) -> None:
    browser = as_(tom)
    assert page_of(company) in browser.get("/settings/").text
    assert "<dt>Every kind of change</dt><dd>One person approves</dd>" in _text(browser, company)

    sent = browser.post(page_of(company), {"kind": "", "approvers": "2"})

    assert sent.status_code == 302
    assert "<dt>Every kind of change</dt><dd>Two people approve</dd>" in _text(browser, company)
    browser.post(page_of(company), {"kind": "connect-organization", "approvers": "1"})
    assert "<dt>Connect to Exchange Online</dt><dd>One person approves</dd>" in _text(
        browser, company
    )
    assert Entry.objects.filter(event="policy.changed").count() == 2


def test_nobody_is_offered_only_where_everything_is_simulated(
    company: Company, tom: Person, as_: As
) -> None:
    scope = company.sales.scope
    for simulated in (True, False):
        scope.is_simulated = simulated
        scope.save()
        assert ("one-person mode" in _text(as_(tom), company)) == simulated

    sent = as_(tom).post(page_of(company), {"kind": "", "approvers": "0"})

    assert sent.status_code == 422
    assert not ApprovalPolicy.objects.exists()


def test_the_page_is_for_admins(company: Company, mira: Person, as_: As) -> None:
    assert as_(mira).get(page_of(company)).status_code == 403
    sent = as_(mira).post(page_of(company), {"kind": "", "approvers": "2"})
    assert sent.status_code == 403
    assert not ApprovalPolicy.objects.exists()


def _text(browser: object, company: Company) -> str:
    return str(browser.get(page_of(company)).text)  # type: ignore[attr-defined]
