from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.access.models import Person
from portal.errors import BadInput
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.states import JobState
from portal.vault.models import Secret
from sync_setup.certificates import (
    StoredCertificate,
    UnfitCertificate,
    choose_certificate,
    upload_certificate,
)
from sync_setup.models import TokenCertificate
from tests.web_setup.conftest import As, certificate_of, upload
from tests.web_setup.world import Company, Samples, kept, read, stored

CANARY = "Canary-PFX-41!"
STEPS = ("certificate", "inspection", "preflight", "plan")


def step(job: Job, name: str) -> str:
    return f"/jobs/{job.name}/{name}/"


def test_nobody_uploads_into_the_draft_of_somebody_else(
    draft: Job, jonas: Person, as_: As, samples: Samples
) -> None:
    jonas.grants.create(role="requester", source="portal")

    assert upload(as_(jonas), draft, samples, "self-signed") == 302

    draft.refresh_from_db()
    assert draft.inputs["certificate"] is None
    assert not TokenCertificate.objects.exists()


def test_a_good_file_is_inspected_sealed_and_shown(inspected: Job, mira: Person, as_: As) -> None:
    page = as_(mira).get(step(inspected, "inspection")).content.decode()

    certificate = certificate_of(inspected)
    groups = " ".join(certificate.thumbprint[at : at + 4] for at in range(0, 40, 4))
    assert groups in page
    assert "This file cannot be used" not in page
    assert "This certificate can be used" in page
    assert "RSA 2048" in page
    assert certificate.pfx is not None
    assert certificate.pfx.ciphertext is not None
    assert certificate.uploaded_by == mira


def test_a_warning_is_shown_with_what_to_do_and_does_not_stop(
    draft: Job, mira: Person, as_: As, samples: Samples
) -> None:
    browser = as_(mira)

    assert upload(browser, draft, samples, "self-signed") == 302

    page = browser.get(step(draft, "inspection")).content.decode()
    assert "with warnings" in page
    assert "The certificate is self-signed" in page
    assert "request one from your certification authority" in page


@pytest.mark.parametrize(
    ("name", "code", "fix"),
    [
        ("expired", "SSS-CERT-EXPIRED", "Bring the renewed certificate."),
        ("elliptic-curve", "SSS-CERT-KEY-NOT-RSA", "Request a new certificate with an RSA key"),
        ("two-keys", "SSS-CERT-SEVERAL-PRIVATE-KEYS", "Export only the one certificate"),
    ],
)
def test_an_unfit_file_says_why_and_what_to_do_and_nothing_is_kept(
    draft: Job, mira: Person, as_: As, samples: Samples, name: str, code: str, fix: str
) -> None:
    browser = as_(mira)
    with samples.files[name].open("rb") as file:
        fields = {"password": samples.password, "pfx": file}
        answer = browser.post(step(draft, "certificate"), fields)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert code in page
    assert fix in page
    assert "Nothing was kept of this file." in page
    assert samples.password not in page
    assert not TokenCertificate.objects.exists()
    assert not Secret.objects.filter(kind=Secret.Kind.JOB).exists()
    draft.refresh_from_db()
    assert draft.state == JobState.DRAFT


def test_a_wrong_password_is_not_shown_again_and_not_kept(
    draft: Job, mira: Person, as_: As, samples: Samples
) -> None:
    with samples.files["self-signed"].open("rb") as file:
        fields = {"password": CANARY, "pfx": file}
        answer = as_(mira).post(step(draft, "certificate"), fields)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The file cannot be opened" in page
    assert "Type the password again." in page
    assert CANARY not in page


def test_a_bad_file_leaves_the_certificate_and_everything_else_of_the_draft(
    inspected: Job, mira: Person, as_: As, samples: Samples
) -> None:
    browser, before = as_(mira), certificate_of(inspected)
    actions.change_inputs(inspected, by=mira, pilot="pilot@contoso.example")

    assert upload(browser, inspected, samples, "expired") == 422

    inspected.refresh_from_db()
    assert inspected.inputs["certificate"] == before.pk
    assert inspected.inputs["pilot"] == "pilot@contoso.example"
    page = browser.get(step(inspected, "certificate")).content.decode()
    assert f"…{before.thumbprint[-4:]}" in page


@pytest.mark.parametrize("size", [200_000, 1_200_000, 50_000_000])
def test_a_file_that_is_too_large_gets_a_clear_page(
    draft: Job, mira: Person, as_: As, size: int
) -> None:
    file = SimpleUploadedFile("huge.pfx", b"\x30" * size)

    answer = as_(mira).post(step(draft, "certificate"), {"password": CANARY, "pfx": file})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "too large" in page or "larger than 1 MB" in page
    assert CANARY not in page
    draft.refresh_from_db()
    assert draft.inputs["certificate"] is None


def test_no_file_and_an_empty_file_are_told_apart(draft: Job, mira: Person, as_: As) -> None:
    browser = as_(mira)

    nothing = browser.post(step(draft, "certificate"), {"password": "x"})
    empty = browser.post(step(draft, "certificate"), {"password": "x", "pfx": BytesIO(b"")})

    assert "Choose the PFX file." in nothing.content.decode()
    assert "The file is empty" in empty.content.decode()


def test_another_file_takes_the_place_of_the_first_whose_key_is_destroyed(
    inspected: Job, mira: Person, as_: As, samples: Samples
) -> None:
    first = certificate_of(inspected)

    assert upload(as_(mira), inspected, samples, "self-signed") == 302

    second = certificate_of(inspected)
    assert second.pk != first.pk
    assert first.pfx is not None
    first.pfx.refresh_from_db()
    assert first.pfx.ciphertext is None
    assert second.pfx is not None
    assert second.pfx.ciphertext is not None


def test_a_certificate_on_the_servers_is_chosen_without_any_key(
    company: Company, draft: Job, mira: Person, as_: As, samples: Samples
) -> None:
    issued = samples.issued("crm-s2s.contoso.example", 200)
    read(company.service, certificates=[stored(issued)])
    browser = as_(mira)

    page = browser.get(step(draft, "certificate")).content.decode()
    answer = browser.post(step(draft, "certificate"), {"thumbprint": issued.thumbprint_sha1})

    assert issued.thumbprint_sha1 in page
    assert answer.headers["Location"] == step(draft, "inspection")
    certificate = certificate_of(draft)
    assert certificate.source == TokenCertificate.Source.SERVERS
    assert certificate.sha256 == issued.sha256
    assert certificate.pfx is None
    assert "on the servers already" in browser.get(step(draft, "inspection")).content.decode()


def test_a_certificate_that_has_ended_or_is_unknown_cannot_be_chosen(
    company: Company, draft: Job, mira: Person, as_: As, samples: Samples
) -> None:
    ended = samples.issued("old.contoso.example", -2)
    read(company.sales, certificates=[stored(ended)])
    browser = as_(mira)

    for thumbprint in (ended.thumbprint_sha1, "A" * 40, ""):
        answer = browser.post(step(draft, "certificate"), {"thumbprint": thumbprint})
        assert answer.status_code == 422
    assert "None of the certificates" in browser.get(step(draft, "certificate")).content.decode()


def test_servers_are_not_told_of_to_people_who_may_not_know_the_organization_they_were_read_for(
    company: Company, as_: As, samples: Samples, vera: Person
) -> None:
    vera.grants.create(role="requester", scope=company.sales.scope, source="portal")
    issued = samples.issued("crm-s2s.contoso.example", 200)
    read(company.service, certificates=[stored(issued)])
    browser = as_(vera)
    browser.post("/jobs/new/", {"org": company.sales.scope.slug})

    page = browser.get(step(Job.objects.get(), "certificate")).content.decode()

    assert issued.thumbprint_sha1 not in page


def test_a_subject_that_another_certificate_has_is_a_warning(
    company: Company, inspected: Job, mira: Person, as_: As, samples: Samples
) -> None:
    mine = certificate_of(inspected)
    twin = stored(samples.issued("x", 100), is_issuer=True, subject=mine.subject)
    read(company.sales, certificates=[twin])

    page = as_(mira).get(step(inspected, "inspection")).content.decode()

    assert "Its subject is not its own" in page


def test_a_certificate_whose_key_is_of_another_kind_on_one_server_is_not_offered(
    company: Company, mira: Person, as_: As, samples: Samples, draft: Job
) -> None:
    issued = samples.issued("mixed.contoso.example", 300)
    row = stored(issued, servers={"CRM-APP01": kept(1), "CRM-APP02": kept(2)})
    read(company.sales, certificates=[row])

    page = as_(mira).get(step(draft, "certificate")).content.decode()

    assert issued.thumbprint_sha1 not in page
    assert "None of the certificates on the servers can be used" in page


def test_the_error_of_an_unfit_file_carries_the_report_of_the_one_inspection(
    company: Company, mira: Person, samples: Samples
) -> None:
    with pytest.raises(UnfitCertificate) as caught:
        upload_certificate(company.sales, samples.data("expired"), samples.password, by=mira)

    assert "expired" in caught.value.report.codes
    assert caught.value.code == "SSS-CERT-EXPIRED"
    assert caught.value.report.thumbprint_sha1


def test_a_certificate_from_the_servers_is_taken_by_five_public_facts(
    company: Company, mira: Person, samples: Samples
) -> None:
    issued = samples.issued("five.contoso.example", 300)
    facts = StoredCertificate(
        issued.thumbprint_sha1, issued.sha256, "CN=five", "CN=ca", raw=issued.der
    )

    certificate = choose_certificate(company.sales, facts, by=mira)

    assert bytes(certificate.public_der) == issued.der
    with pytest.raises(BadInput, match="not the one that its thumbprint names"):
        choose_certificate(company.sales, replace(facts, raw=issued.der + b"0"), by=mira)
