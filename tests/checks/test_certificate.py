from __future__ import annotations

import datetime as dt

from cryptography.hazmat.primitives.asymmetric import ec

from portal.jobs.states import Verdict
from sync_setup.checks.certificate import CertificateFit, CertificateValidity
from tests.checks.company import Company, expect

FIT, VALIDITY = CertificateFit(), CertificateValidity()


def _days(company: Company, days: float) -> dt.datetime:
    """The moment at which so many days of the good certificate are left."""
    return company.good.certificate.not_valid_after_utc - dt.timedelta(days=days)


def test_a_good_certificate_is_fit(company: Company) -> None:
    found = expect(company.find(FIT), Verdict.PASS, "crm-s2s")
    assert found.evidence["certificate"] == company.good.thumbprint_sha1
    assert found.evidence["key"] == "RSA 2048"


def test_no_certificate_blocks(company: Company) -> None:
    company.certificate = None
    expect(company.find(FIT), Verdict.BLOCK, "No certificate")
    expect(company.find(VALIDITY), Verdict.CANNOT_CHECK, "No certificate")


def test_a_certificate_that_cannot_sign_blocks(company: Company) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    company.certificate = company.on_servers(company.issue("crm-ec.contoso.example", key=key))
    expect(company.find(FIT), Verdict.BLOCK, "not an RSA key")


def test_a_self_signed_certificate_is_a_warning(company: Company) -> None:
    own = company.issue("crm-own.contoso.example", self_signed=True, key=company.good.private_key)
    company.certificate = company.on_servers(own)
    expect(company.find(FIT), Verdict.WARN, "self-signed")


def test_what_the_file_was_warned_of_is_still_said(company: Company) -> None:
    certificate = company.uploaded(company.good)
    certificate.report = {
        "verdict": "warn",
        "messages": [
            {
                "code": "empty_password",
                "severity": "warn",
                "title": "No password",
                "fix": "Set one.",
            },
            {"code": "expires_soon", "severity": "warn", "title": "Ends soon", "fix": "Renew."},
        ],
    }
    company.certificate = certificate
    found = expect(company.find(FIT), Verdict.WARN, "No password")
    assert "Ends soon" not in found.finding
    assert found.evidence["inspection of the file"] == "warn"


def test_enough_days_pass(company: Company) -> None:
    found = expect(company.find(VALIDITY), Verdict.PASS)
    assert found.evidence["days left"] >= 344


def test_fewer_than_thirty_days_block(company: Company) -> None:
    expect(company.find_at(VALIDITY, _days(company, 30.5)), Verdict.PASS)
    expect(company.find_at(VALIDITY, _days(company, 29.5)), Verdict.BLOCK, "29 days")


def test_fewer_than_ninety_days_are_a_warning_unless_ews_ends_before(company: Company) -> None:
    ends_before_ews = company.issue(
        "crm-soon.contoso.example", days=60, key=company.good.private_key
    )
    company.certificate = company.on_servers(ends_before_ews)
    now = ends_before_ews.certificate.not_valid_after_utc - dt.timedelta(days=60)
    outlasts = ends_before_ews.certificate.not_valid_after_utc.date() >= dt.date(2027, 4, 1)
    expected = Verdict.PASS if outlasts else Verdict.WARN
    assert company.find_at(VALIDITY, now).verdict == expected
    company.certificate.not_after = dt.datetime(2027, 3, 31, tzinfo=dt.UTC)
    january = dt.datetime(2027, 1, 15, tzinfo=dt.UTC)
    expect(company.find_at(VALIDITY, january), Verdict.WARN, "75 days", "before EWS")
    company.certificate.not_after = dt.datetime(2027, 4, 2, tzinfo=dt.UTC)
    expect(company.find_at(VALIDITY, january), Verdict.PASS)


def test_an_ended_certificate_blocks(company: Company) -> None:
    expect(company.find_at(VALIDITY, _days(company, -1)), Verdict.BLOCK, "ended on")


def test_a_certificate_of_tomorrow_blocks(company: Company) -> None:
    early = company.good.certificate.not_valid_before_utc - dt.timedelta(days=1)
    expect(company.find_at(VALIDITY, early), Verdict.BLOCK, "valid only from")
