from __future__ import annotations

from portal.access.models import Person
from portal.jobs.models import Job, ResourceLock
from portal.jobs.states import JobState, Verdict
from sync_setup.checks.deployment_settings import (
    AuthorizationServerSettings,
    ClaimsAndIfd,
    OtherJobs,
    TokenIssuerRow,
)
from tests.checks.company import Company, expect

CLAIMS, SETTINGS = ClaimsAndIfd(), AuthorizationServerSettings()
ISSUER, JOBS = TokenIssuerRow(), OtherJobs()
ACS = "00000001-0000-0000-c000-000000000000"
ACS_METADATA = "https://accounts.accesscontrol.windows.net/metadata/json/1"


def _claims(company: Company, *, claims: bool, ifd: bool, oauth: bool) -> None:
    company.arrange("deployment/claims_enabled", claims)
    company.arrange("deployment/ifd_enabled", ifd)
    company.arrange("deployment/oauth_enabled", oauth)


def test_no_claims_is_a_warning_that_lets_go_on(company: Company) -> None:
    found = expect(company.find(CLAIMS), Verdict.WARN, "claims-based authentication is off")
    assert "Go on as it is" in found.fix


def test_claims_without_ifd_is_a_warning_that_lets_go_on(company: Company) -> None:
    _claims(company, claims=True, ifd=False, oauth=True)
    found = expect(company.find(CLAIMS), Verdict.WARN, "internet-facing deployment is off")
    assert "Go on as it is" in found.fix


def test_claims_without_oauth_is_a_warning(company: Company) -> None:
    _claims(company, claims=True, ifd=True, oauth=False)
    found = expect(company.find(CLAIMS), Verdict.WARN, "OAuth is off")
    assert "OAuthClaimsSettings" in found.fix


def test_all_three_on_pass(company: Company) -> None:
    _claims(company, claims=True, ifd=True, oauth=True)
    expect(company.find(CLAIMS), Verdict.PASS)


def test_settings_that_are_not_set_pass(company: Company) -> None:
    expect(company.find(SETTINGS), Verdict.PASS)


def test_settings_as_they_are_to_be_pass(company: Company) -> None:
    company.arrange("deployment/authorization_server_principal_id", ACS)
    company.arrange("deployment/authorization_server_metadata_url", ACS_METADATA)
    expect(company.find(SETTINGS), Verdict.PASS)


def test_settings_for_something_else_are_a_warning(company: Company) -> None:
    foreign = "https://sharepoint.contoso.example/_layouts/15/metadata/json/1"
    company.arrange("deployment/authorization_server_metadata_url", foreign)
    expect(company.find(SETTINGS), Verdict.WARN, foreign)


def test_one_token_issuer_passes(company: Company) -> None:
    found = expect(company.find(ISSUER), Verdict.PASS)
    assert found.evidence["rows"] == 1


def test_no_token_issuer_passes(company: Company) -> None:
    company.arrange("deployment/token_issuer", None)
    company.arrange("deployment/token_issuer_count", 0)
    expect(company.find(ISSUER), Verdict.PASS)


def test_two_token_issuers_block(company: Company) -> None:
    company.arrange("deployment/token_issuer_count", 2)
    found = expect(company.find(ISSUER), Verdict.BLOCK, "2 token issuers")
    assert "Remove-CrmCertificate" in found.fix


def test_an_unusual_find_type_is_a_warning(company: Company) -> None:
    company.arrange("deployment/token_issuer/store_find_type", "FindByThumbprint")
    expect(company.find(ISSUER), Verdict.WARN, "unusual")


def test_nobody_else_at_work(company: Company) -> None:
    expect(company.find(JOBS), Verdict.PASS)


def test_a_running_job_on_the_same_server_is_a_warning(company: Company, mira: Person) -> None:
    job = Job.objects.create(
        kind="connect-organization",
        scope=company.organizations[1].scope,
        state=JobState.RUNNING,
        requester=mira,
    )
    server = company.organization.deployment.servers.order_by("name")[0]
    ResourceLock.objects.create(resource=server.resource, job=job)
    ResourceLock.objects.create(resource="server:999999", job=job)
    found = expect(company.find(JOBS), Verdict.WARN, job.name, server.name)
    assert len(found.evidence) == 1
    assert "Wait until" in found.fix


def test_a_job_that_waits_for_a_person_says_so(company: Company, mira: Person) -> None:
    job = Job.objects.create(
        kind="connect-organization",
        scope=company.organizations[1].scope,
        state=JobState.NEEDS_PERSON,
        requester=mira,
    )
    ResourceLock.objects.create(resource=company.organization.tenant.resource, job=job)
    found = expect(company.find(JOBS), Verdict.WARN, job.name, "the tenant Contoso")
    assert "waits for a person" in found.fix
