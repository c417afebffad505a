from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from simulator.pfx import CertificateBag, KeyBag, write_pfx
from simulator.pki import Issued
from tests.simulator.crm_servers.conftest import ASYNC, TOOLS, Crm, Session, change

PASSWORD = "Transport-Password-9"
INSTALL = "Install-SssCertificate"


def parameters(session: Session, issued: Issued, **own: Any) -> dict[str, Any]:
    given = {
        "PfxBytes": issued.to_pfx(PASSWORD),
        "TransportPassword": session.secret(PASSWORD),
        "Thumbprint": issued.thumbprint_sha1,
        "Sha256": issued.sha256,
        "GrantRead": ["AsyncService"],
    }
    return change(**(given | own))


def fresh(crm: Crm, name: str = "crm-s2s.contoso.example", days: int = 300, **more: Any) -> Issued:
    now = crm.company.now
    start = now - dt.timedelta(days=400)
    return crm.company.pki.issue(name, start, now + dt.timedelta(days=days), **more)


def test_a_certificate_is_imported_and_the_async_account_may_read_its_key(crm: Crm) -> None:
    session, new = crm.session(ASYNC), crm.company.new

    result = session.result(INSTALL, **parameters(session, new))

    assert result["Changed"] is True
    assert result["Before"] == {"Present": False, "Certificate": None}
    after = result["After"]
    assert (after["Present"], after["Method"], after["RestoredReaders"]) == (True, "Import", [])
    certificate = after["Certificate"]
    assert certificate["Thumbprint"] == new.thumbprint_sha1
    assert (certificate["KeyStorage"], certificate["KeySpec"]) == ("Csp", 1)
    assert certificate["ProviderType"] == 24
    assert certificate["Exportable"] is False
    added = [r for r in certificate["KeyReaders"] if r["AddedByPortal"]]
    assert [(r["Account"], r["Rights"]) for r in added] == [("CONTOSO\\svc-crmasync", "Read")]
    assert certificate["FoundBySubject"] == [new.thumbprint_sha1]


def test_the_effect_is_in_the_ledger_with_its_operation_and_without_a_secret(crm: Crm) -> None:
    session = crm.session(ASYNC)
    given = parameters(session, crm.company.new)

    session.result(INSTALL, **given)

    (entry,) = crm.ledger.entries()
    assert entry["system"] == f"winrm:{ASYNC}"
    assert entry["effect"] == "certificate.install"
    assert entry["target"] == crm.company.new.thumbprint_sha1
    assert entry["caller"] == "CONTOSO\\svc-sssportal"
    assert (entry["operation_id"], entry["job"]) == (given["OperationId"], "J-4711")
    assert (entry["epoch"], entry["fence"]) == (1, 5)
    assert entry["before"] == {"Present": False, "Certificate": None}
    assert PASSWORD not in str(entry)
    stored = crm.deployment.server(ASYNC).operations[given["OperationId"]]
    assert PASSWORD not in str(stored)


def test_a_wrong_transport_password_is_refused(crm: Crm) -> None:
    session = crm.session(ASYNC)
    given = parameters(session, crm.company.new, TransportPassword=session.secret("other"))

    assert session.refusal(INSTALL, **given) == "PasswordWrong"
    assert len(crm.deployment.server(ASYNC).certificates) == 1


@pytest.mark.parametrize("expected", ["Thumbprint", "Sha256"])
def test_another_certificate_than_expected_is_refused(crm: Crm, expected: str) -> None:
    session = crm.session(ASYNC)
    wrong = {"Thumbprint": "A" * 40, "Sha256": "A" * 64}[expected]
    given = parameters(session, crm.company.new, **{expected: wrong})

    assert session.refusal(INSTALL, **given) == "CertificateMismatch"
    assert crm.ledger.entries() == []


@pytest.mark.parametrize("hide_keys", [False, True])
def test_two_keys_are_refused(crm: Crm, hide_keys: bool) -> None:
    session, new, old = crm.session(ASYNC), crm.company.new, crm.company.old
    pfx = write_pfx(
        [KeyBag(new.private_key, b"1"), KeyBag(old.private_key, b"2")],
        [CertificateBag(new.der, b"1"), CertificateBag(old.der, b"2")],
        PASSWORD,
        hide_keys=hide_keys,
    )

    given = parameters(session, new, PfxBytes=pfx)

    assert session.refusal(INSTALL, **given) == "CertificateMismatch"


def test_bytes_that_are_no_pfx_are_refused(crm: Crm) -> None:
    session = crm.session(ASYNC)
    given = parameters(session, crm.company.new, PfxBytes=b"no pfx at all")

    assert session.refusal(INSTALL, **given) == "CertificateMismatch"


@pytest.mark.parametrize(
    ("provider", "usage"),
    [("Microsoft Software Key Storage Provider", 0x10), ("", 0x80)],
    ids=["CNG", "AT_SIGNATURE"],
)
def test_a_key_that_crm_cannot_use_is_taken_out_again(crm: Crm, provider: str, usage: int) -> None:
    session, new = crm.session(ASYNC), crm.company.new
    given = parameters(session, new, PfxBytes=new.to_pfx(PASSWORD, provider=provider, usage=usage))

    assert session.refusal(INSTALL, **given) == "CertificateUnusable"
    thumbprints = [c.thumbprint for c in crm.deployment.server(ASYNC).certificates]
    assert thumbprints == [crm.company.old.thumbprint_sha1]
    assert crm.ledger.entries() == []


def test_a_host_that_imports_as_cng_makes_the_key_unusable(crm: Crm) -> None:
    crm.dials.add({"where": f"winrm:{ASYNC}", "fault": "contract", "name": "imports_as_cng"})
    session = crm.open(ASYNC)

    # The dial strikes the first command; afterwards the same operation may run again.
    given = parameters(session, crm.company.new)
    assert session.refusal(INSTALL, **given) == "CertificateUnusable"
    assert session.result(INSTALL, **given)["Changed"] is True
    session.close()


def test_expired_and_elliptic_curve_certificates_are_unusable(crm: Crm) -> None:
    session = crm.session(ASYNC)
    curve = fresh(crm, "ec.contoso.example", key=ec.generate_private_key(ec.SECP256R1()))
    for issued in (fresh(crm, "old.contoso.example", days=-1), curve):
        given = parameters(session, issued)
        assert session.refusal(INSTALL, **given) == "CertificateUnusable"


def test_without_attributes_the_key_goes_to_the_default_provider(crm: Crm) -> None:
    session, new = crm.session(ASYNC), crm.company.new
    given = parameters(session, new, PfxBytes=new.to_pfx(PASSWORD, provider="", usage=0))

    certificate = session.result(INSTALL, **given)["After"]["Certificate"]

    assert certificate["ProviderName"] == "Microsoft Enhanced Cryptographic Provider v1.0"
    assert (certificate["ProviderType"], certificate["KeySpec"]) == (1, 1)


@pytest.mark.parametrize(
    "options",
    [["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"], []],
    ids=["3DES", "PBES2"],
)
def test_a_pfx_made_by_openssl_is_opened(crm: Crm, tmp_path: Path, options: list[str]) -> None:
    session, new = crm.session(ASYNC), crm.company.new
    (tmp_path / "all.pem").write_bytes(new.key_pem + new.chain_pem)
    (tmp_path / "password").write_text(PASSWORD)
    provider = "Microsoft Enhanced RSA and AES Cryptographic Provider"
    command = ["openssl", "pkcs12", "-export", "-in", "all.pem", "-out", "new.pfx", "-keyex"]
    command += ["-CSP", provider, "-passout", "file:password", *options]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=20)
    given = parameters(session, new, PfxBytes=(tmp_path / "new.pfx").read_bytes())

    certificate = session.result(INSTALL, **given)["After"]["Certificate"]

    assert (certificate["ProviderName"], certificate["KeySpec"]) == (provider, 1)


def test_a_second_certificate_with_the_same_subject_is_ambiguous_unless_allowed(crm: Crm) -> None:
    session, twin = crm.session(ASYNC), fresh(crm, "crm.contoso.example")

    assert session.refusal(INSTALL, **parameters(session, twin)) == "SubjectAmbiguous"
    allowed = session.result(INSTALL, **parameters(session, twin, AllowSameSubject=True))

    found = allowed["After"]["Certificate"]["FoundBySubject"]
    assert sorted(found) == sorted([twin.thumbprint_sha1, crm.company.old.thumbprint_sha1])


def test_an_archived_certificate_with_the_same_subject_does_not_count(crm: Crm) -> None:
    session, twin = crm.session(ASYNC), fresh(crm, "crm.contoso.example")
    crm.deployment.server(ASYNC).certificates[0].archived = True

    assert session.result(INSTALL, **parameters(session, twin))["Changed"] is True


def test_the_dial_puts_a_twin_beside_the_new_certificate(crm: Crm) -> None:
    crm.dials.add({"set": f"winrm:{ASYNC}/twin_subject", "value": True})
    session = crm.session(ASYNC)

    code = session.refusal(INSTALL, **parameters(session, crm.company.new))

    assert code == "SubjectAmbiguous"


def test_a_role_that_the_server_does_not_run_is_refused(crm: Crm) -> None:
    session = crm.session(ASYNC)
    given = parameters(session, crm.company.new, GrantRead=["AsyncService", "WebApplication"])

    assert session.refusal(INSTALL, **given) == "RoleNotHere"
    assert len(crm.deployment.server(ASYNC).certificates) == 1


def test_what_is_there_already_only_gets_the_missing_readers(crm: Crm) -> None:
    session, new = crm.session(TOOLS), crm.company.new
    session.result(INSTALL, **parameters(session, new, GrantRead=[]))

    granted = session.result(INSTALL, **parameters(session, new, GrantRead=["WebApplication"]))
    again = session.result(INSTALL, **parameters(session, new, GrantRead=["WebApplication"]))

    assert granted["Changed"] is True
    assert granted["Before"]["Present"] is True
    assert again["Changed"] is False
    assert again["Before"]["Certificate"] == granted["After"]["Certificate"]
    assert crm.effects() == ["certificate.install", "certificate.keyReaders"]


def test_an_archived_certificate_is_not_quietly_reused(crm: Crm) -> None:
    session, new = crm.session(TOOLS), crm.company.new
    session.result(INSTALL, **parameters(session, new, GrantRead=[]))
    crm.deployment.server(TOOLS).certificates[-1].archived = True

    given = parameters(session, new, GrantRead=[])

    assert session.refusal(INSTALL, **given) == "UnexpectedState"


def test_what_is_here_must_be_the_expected_one_with_its_key(crm: Crm) -> None:
    session, old = crm.session(TOOLS), crm.company.old
    here = crm.deployment.server(TOOLS).certificates[0]

    wrong = parameters(session, old, GrantRead=[], Sha256="A" * 64)
    assert session.refusal(INSTALL, **wrong) == "CertificateMismatch"
    here.has_private_key = False
    given = parameters(session, old, GrantRead=[])
    assert session.refusal(INSTALL, **given) == "CertificateUnusable"


def test_a_pfx_of_100_kilobytes_travels_in_many_fragments(crm: Crm) -> None:
    session = crm.session(ASYNC)
    given = parameters(session, crm.company.new, PfxBytes=b"\x30" + b"x" * 102_399)

    assert session.refusal(INSTALL, **given) == "CertificateMismatch"
    too_large = parameters(session, crm.company.new, PfxBytes=b"x" * 102_401)
    assert session.error(INSTALL, **too_large).fq_error.startswith(
        "ParameterArgumentValidationError"
    )


def test_the_transport_password_is_a_secure_string_and_nothing_else(crm: Crm) -> None:
    session = crm.session(ASYNC)
    given = parameters(session, crm.company.new, TransportPassword=PASSWORD)

    record = session.error(INSTALL, **given)

    assert record.fq_error == f"ParameterArgumentTransformationError,{INSTALL}"
    assert PASSWORD not in str(record)
