from __future__ import annotations

from portal.jobs.states import Verdict
from portal.vault.actions import destroy_secrets
from simulator.crm_servers.stored_certificate import CNG
from sync_setup.checks.certificate_stores import (
    CertificateChain,
    CertificateKey,
    CertificateKeySpec,
    SubjectUnambiguous,
)
from tests.checks.company import ASYNC, TOOLS, Company, expect

KEY, KEY_SPEC = CertificateKey(), CertificateKeySpec()
SUBJECT, CHAIN = SubjectUnambiguous(), CertificateChain()


def _from_servers(company: Company, *servers: str, **facts: object) -> None:
    """The good certificate is to come from the servers, and is on these."""
    company.certificate = company.on_servers(company.good)
    for server in servers:
        company.install(server, company.good, **facts)


def test_an_uploaded_key_is_at_hand(company: Company) -> None:
    found = expect(company.find(KEY), Verdict.PASS, "sealed", TOOLS, ASYNC)
    assert found.evidence == {TOOLS: "not there", ASYNC: "not there"}


def test_a_certificate_on_every_server_needs_no_file(company: Company) -> None:
    _from_servers(company, TOOLS, ASYNC)
    expect(company.find(KEY), Verdict.PASS, "Every server")


def test_a_server_without_the_certificate_blocks(company: Company) -> None:
    _from_servers(company, TOOLS)
    found = expect(company.find(KEY), Verdict.BLOCK, ASYNC)
    assert TOOLS not in found.finding


def test_an_archived_certificate_blocks(company: Company) -> None:
    _from_servers(company, TOOLS)
    company.install(ASYNC, company.good, archived=True)
    found = expect(company.find(KEY), Verdict.BLOCK, ASYNC)
    assert found.evidence[ASYNC] == "archived"


def test_a_destroyed_key_file_blocks(company: Company) -> None:
    certificate = company.certificate
    assert certificate is not None
    assert certificate.pfx is not None
    destroy_secrets([certificate.pfx], by=None)
    certificate.pfx.refresh_from_db()
    expect(company.find(KEY), Verdict.BLOCK, "key file is gone")
    company.install(TOOLS, company.good)
    company.install(ASYNC, company.good)
    expect(company.find(KEY), Verdict.PASS, "Every server")


def test_key_spec_of_a_certificate_that_is_nowhere_yet(company: Company) -> None:
    expect(company.find(KEY_SPEC), Verdict.PASS, "no server yet")


def test_key_spec_1_in_a_csp_passes(company: Company) -> None:
    _from_servers(company, TOOLS, ASYNC)
    found = expect(company.find(KEY_SPEC), Verdict.PASS)
    assert "KeySpec 1" in found.evidence[ASYNC]


def test_a_cng_key_blocks(company: Company) -> None:
    _from_servers(company, TOOLS)
    company.install(
        ASYNC, company.good, key_storage="Cng", key_spec=0, provider_name=CNG, provider_type=0
    )
    found = expect(company.find(KEY_SPEC), Verdict.BLOCK, ASYNC, "CNG")
    assert "AT_KEYEXCHANGE" in found.fix


def test_a_signature_key_blocks(company: Company) -> None:
    _from_servers(company, ASYNC, key_spec=2)
    expect(company.find(KEY_SPEC), Verdict.BLOCK, "KeySpec 2")


def test_an_unreadable_key_blocks(company: Company) -> None:
    _from_servers(company, ASYNC, key_storage="Unreadable", key_spec=0)
    expect(company.find(KEY_SPEC), Verdict.BLOCK, "cannot read")


def test_an_exportable_key_is_a_warning(company: Company) -> None:
    _from_servers(company, ASYNC, exportable=True)
    expect(company.find(KEY_SPEC), Verdict.WARN, "can be exported")


def test_a_subject_of_its_own_passes(company: Company) -> None:
    found = expect(company.find(SUBJECT), Verdict.PASS)
    assert found.evidence[TOOLS] == []


def test_a_second_certificate_with_the_subject_blocks(company: Company) -> None:
    twin = company.issue(
        f"crm-s2s-{company.good.certificate.not_valid_before_utc.year}.contoso.example",
        key=company.good.private_key,
    )
    company.install(ASYNC, twin)
    found = expect(company.find(SUBJECT), Verdict.BLOCK, ASYNC, f"…{twin.thumbprint_sha1[-4:]}")
    assert "subject of its own" in found.fix
    assert found.evidence[TOOLS] == []


def test_an_archived_one_is_not_found_by_crm(company: Company) -> None:
    name = f"crm-s2s-{company.good.certificate.not_valid_before_utc.year}.contoso.example"
    company.install(ASYNC, company.issue(name, key=company.good.private_key), archived=True)
    expect(company.find(SUBJECT), Verdict.PASS)


def test_an_ended_one_is_found_by_crm(company: Company) -> None:
    name = f"crm-s2s-{company.good.certificate.not_valid_before_utc.year}.contoso.example"
    company.install(ASYNC, company.issue(name, days=-2, key=company.good.private_key))
    expect(company.find(SUBJECT), Verdict.BLOCK, "(ended)")


def test_the_servers_trust_the_issuer(company: Company) -> None:
    found = expect(company.find(CHAIN), Verdict.PASS)
    assert "trusts" in found.evidence[ASYNC]


def test_a_self_signed_chain_is_a_warning(company: Company) -> None:
    own = company.issue("crm-own.contoso.example", self_signed=True, key=company.good.private_key)
    company.certificate = company.on_servers(own)
    expect(company.find(CHAIN), Verdict.WARN, "self-signed")


def test_an_issuer_nobody_has_seen_is_a_warning(company: Company) -> None:
    for server in (TOOLS, ASYNC):
        company.arrange_server(server, certificates=[])
    expect(company.find(CHAIN), Verdict.WARN, "only after the import")


def test_an_untrusted_issuer_blocks(company: Company) -> None:
    company.arrange("deployment/trusted_issuers", [])
    found = expect(company.find(CHAIN), Verdict.BLOCK, "PartialChain", TOOLS, ASYNC)
    assert "LocalMachine" in found.fix
