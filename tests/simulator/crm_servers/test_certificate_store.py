from __future__ import annotations

from typing import Any

import pytest

from simulator.deployment import KeyReader, StoredCertificate
from tests.simulator.crm_servers.conftest import ASYNC, LOOK, TOOLS, Crm, change

READER, STATE = "Set-SssKeyReader", "Set-SssCertificateState"


def grant(crm: Crm, role: str = "AsyncService", access: str = "Read") -> dict[str, Any]:
    thumbprint = crm.company.old.thumbprint_sha1
    return change(Thumbprint=thumbprint, Role=[role], Access=access)


def state(thumbprint: str, wanted: str, expected: str) -> dict[str, Any]:
    return change(Thumbprint=thumbprint, State=wanted, ExpectState=expected)


def installed_by_portal(crm: Crm, server: str = ASYNC) -> StoredCertificate:
    certificate = StoredCertificate.from_der(crm.company.new.der)
    certificate.installed_by_portal = True
    crm.deployment.server(server).certificates.append(certificate)
    return certificate


def accounts(result: dict[str, Any], when: str) -> list[str]:
    return [reader["Account"] for reader in result[when]["KeyReaders"]]


def test_a_role_becomes_one_read_entry_of_its_account(crm: Crm) -> None:
    old = crm.deployment.server(ASYNC).certificates[0]
    old.key_readers = old.key_readers[:2]

    result = crm.session(ASYNC).result(READER, **grant(crm))
    again = crm.session(ASYNC).result(READER, **grant(crm))

    assert result["Changed"] is True
    assert "CONTOSO\\svc-crmasync" not in accounts(result, "Before")
    assert accounts(result, "After").count("CONTOSO\\svc-crmasync") == 1
    assert result["After"]["KeyReaders"][-1]["AddedByPortal"] is True
    assert again["Changed"] is False
    assert crm.effects() == ["certificate.keyReaders"]


def test_our_own_entry_can_be_taken_back_and_nothing_else(crm: Crm) -> None:
    old = crm.deployment.server(ASYNC).certificates[0]
    old.key_readers[-1].added_by_portal = True
    old.key_readers.append(KeyReader("CONTOSO\\svc-adfs", "S-1-5-21-9"))

    result = crm.session(ASYNC).result(READER, **grant(crm, access="None"))

    assert result["Changed"] is True
    left = ["NT AUTHORITY\\SYSTEM", "BUILTIN\\Administrators", "CONTOSO\\svc-adfs"]
    assert accounts(result, "After") == left
    assert crm.session(ASYNC).result(READER, **grant(crm, access="None"))["Changed"] is False


def test_an_entry_of_somebody_else_is_not_ours_to_take(crm: Crm) -> None:
    assert crm.session(ASYNC).refusal(READER, **grant(crm, access="None")) == "NotOurs"
    assert crm.ledger.entries() == []


def test_a_reader_needs_a_certificate_with_a_csp_key_and_a_role_that_is_here(crm: Crm) -> None:
    session, old = crm.session(ASYNC), crm.deployment.server(ASYNC).certificates[0]

    missing = change(Thumbprint="0" * 40, Role=["AsyncService"], Access="Read")
    assert session.refusal(READER, **missing) == "CertificateNotFound"
    assert session.refusal(READER, **grant(crm, "WebApplication")) == "RoleNotHere"
    old.key_storage = "Cng"
    assert session.refusal(READER, **grant(crm)) == "CertificateUnusable"


def test_one_account_in_two_roles_gets_one_entry(crm: Crm) -> None:
    server = crm.deployment.server(TOOLS)
    pool = server.app_pools[0]
    server.services = crm.deployment.server(ASYNC).services
    server.services[0].account, server.services[0].sid = pool.account, pool.sid
    server.certificates[0].key_readers = []
    given = grant(crm) | {"Role": ["AsyncService", "WebApplication"]}

    assert accounts(crm.session(TOOLS).result(READER, **given), "After") == [pool.account]


def test_archiving_hides_a_certificate_from_the_products_search_and_can_be_undone(
    crm: Crm,
) -> None:
    session, thumbprint = crm.session(ASYNC), crm.company.old.thumbprint_sha1

    archived = session.result(STATE, **state(thumbprint, "Archived", "Active"))
    listed = session.result("Get-SssCertificate")["Certificates"]
    back = session.result(STATE, **state(thumbprint, "Active", "Archived"))

    assert (archived["Before"]["State"], archived["After"]["State"]) == ("Active", "Archived")
    assert archived["After"]["Certificate"]["Archived"] is True
    assert [c["FoundBySubject"] for c in listed] == [[]]
    assert back["After"]["Certificate"]["FoundBySubject"] == [thumbprint]
    assert crm.effects() == ["certificate.state", "certificate.state"]


def test_a_state_that_is_so_already_changes_nothing_and_another_than_expected_is_refused(
    crm: Crm,
) -> None:
    session, thumbprint = crm.session(ASYNC), crm.company.old.thumbprint_sha1

    assert session.result(STATE, **state(thumbprint, "Active", "Absent"))["Changed"] is False
    assert session.result(STATE, **state("0" * 40, "Absent", "Active"))["Changed"] is False
    code = session.refusal(STATE, **state(thumbprint, "Archived", "Absent"))
    assert code == "UnexpectedState"
    code = session.refusal(STATE, **state("0" * 40, "Archived", "Active"))
    assert code == "CertificateNotFound"
    assert session.refusal(STATE, **state("0" * 40, "Active", "Absent")) == "CertificateNotFound"
    assert crm.ledger.entries() == []


def test_only_what_the_portal_installed_can_be_removed(crm: Crm) -> None:
    session, own = crm.session(ASYNC), installed_by_portal(crm)
    old = crm.company.old.thumbprint_sha1

    removed = session.result(STATE, **state(own.thumbprint, "Absent", "Active"))

    assert removed["After"] == {"State": "Absent", "Certificate": None}
    assert removed["Before"]["Certificate"]["Thumbprint"] == own.thumbprint
    assert session.refusal(STATE, **state(old, "Absent", "Active")) == "NotOurs"
    assert [c.thumbprint for c in crm.deployment.server(ASYNC).certificates] == [old]


@pytest.mark.parametrize("wanted", ["Archived", "Absent"])
def test_a_certificate_in_use_stays(crm: Crm, wanted: str) -> None:
    session, server = crm.session(TOOLS), crm.deployment.server(TOOLS)
    old = server.certificates[0]
    given = state(old.thumbprint, wanted, "Active")

    assert session.refusal(STATE, **given) == "InUse"
    old.iis_bindings = []
    assert session.refusal(STATE, **given) == "InUse"


def test_whether_it_is_the_token_issuer_must_be_known_before_it_is_removed(crm: Crm) -> None:
    session, own = crm.session(TOOLS), installed_by_portal(crm, TOOLS)
    crm.dials.add({"set": f"winrm:{TOOLS}/virtual_account", "value": True})

    removal = session.refusal(STATE, **state(own.thumbprint, "Absent", "Active"))
    archived = session.call(STATE, **state(own.thumbprint, "Archived", "Active"))

    assert removal == "NotDeploymentAdministrator"
    assert archived["Ok"]
    assert "Whether it is the token issuer is not known" in archived["Warnings"][0]


def test_a_look_session_sees_the_state_and_cannot_change_it(crm: Crm) -> None:
    given = state(crm.company.old.thumbprint_sha1, "Archived", "Active")

    error = crm.session(ASYNC, LOOK).error(STATE, **given)

    assert error.fq_error == "CommandNotFoundException"
