"""What the verb plan refuses, and what it leaves behind: nothing, or a draft that goes on."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from django.conf import settings as django_settings
from django.utils.timezone import now

from portal.access.models import Person, Role
from portal.audit.models import Entry
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.states import JobState
from portal.vault.models import Secret
from sync_setup.models import Organization, Reading, TokenCertificate
from sync_setup.rehearsal import simulated
from tests.command_line.running import readable, refused, sss
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def contoso(simulator: SimulatorProcess, tom: Person) -> dict[str, Any]:
    """The simulated company is registered; no worker runs."""
    django_settings.CLOUDS_FILE = str(Path(django_settings.VAR_DIR) / "clouds.json")
    simulated.write_clouds(simulator.addresses)
    simulated.register(simulator.addresses, by=tom)
    return simulator.addresses


@pytest.fixture
def good(contoso: dict[str, Any], tmp_path: Path) -> tuple[str, ...]:
    """Arguments that bring the good sample certificate."""
    sample = contoso["samples"][0]
    password = readable(tmp_path, "good-password", sample["password"])
    return ("--pfx", sample["path"], "--password-file", password)


def planned(*given: str, by: str = "mira") -> tuple[int, dict[str, Any]]:
    return refused("plan", "ContosoSales", *given, "--timeout", "0.2", "--as", by)


def nothing_is_kept() -> bool:
    return not (
        Job.objects.exists()
        or TokenCertificate.objects.exists()
        or Secret.objects.filter(kind="job").exists()
    )


def test_unfit_certificates_leave_nothing_behind(
    contoso: dict[str, Any], mira: Person, tmp_path: Path
) -> None:
    unfit = [sample for sample in contoso["samples"] if sample["verdict"] == "reject"]
    assert len(unfit) >= 3

    for sample in unfit:
        password = readable(tmp_path, f"{len(sample['title'])}", sample["password"])
        code, error = planned("--pfx", sample["path"], "--password-file", password)

        assert code == 2, sample
        assert error["code"].startswith("SSS-CERT-"), sample
        assert error["fix"], sample
        assert nothing_is_kept()
    assert Entry.objects.filter(event="certificate.refused").count() == len(unfit)


def test_a_wrong_password_is_said_and_never_shown(
    good: tuple[str, ...], mira: Person, tmp_path: Path
) -> None:
    wrong = readable(tmp_path, "wrong", "Canary-Password-4711")

    ended = sss(
        *("plan", "ContosoSales", *good[:2], "--password-file", wrong, "--as", "mira", "--json")
    )

    assert ended.code == 2
    assert ended.json["error"]["code"] == "SSS-CERT-WRONG-PASSWORD-OR-DAMAGED"
    assert "Canary" not in ended.out + ended.err
    assert nothing_is_kept()


def test_a_file_of_50_mb_is_read_no_further_than_needed(
    contoso: dict[str, Any], mira: Person, tmp_path: Path
) -> None:
    large = tmp_path / "large.pfx"
    with large.open("wb") as file:
        file.truncate(50 * 1024 * 1024)

    code, error = planned("--pfx", str(large))

    assert (code, error["code"]) == (2, "SSS-CERT-FILE-TOO-LARGE")
    assert nothing_is_kept()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("--pfx", "/nowhere/file.pfx"), "pfx"),
        ((), "pfx"),
        (("--thumbprint", "AA" * 20), "thumbprint"),
    ],
)
def test_a_setup_needs_its_certificate(
    contoso: dict[str, Any], mira: Person, given: tuple[str, ...], field: str
) -> None:
    code, error = planned(*given)

    assert (code, error["field"]) == (2, field)
    assert nothing_is_kept()


def test_what_else_was_given_is_judged_before_the_file(good: tuple[str, ...], mira: Person) -> None:
    code, error = planned(*good, "--profile-name", "x" * 101)

    assert (code, error["field"]) == (2, "profile_name")
    assert nothing_is_kept()
    assert not Entry.objects.filter(event__startswith="certificate.").exists()


def test_a_file_without_its_draft_is_destroyed(good: tuple[str, ...], mira: Person) -> None:
    scope = Organization.objects.get(unique_name="ContosoSales").scope
    for _ in range(actions.OPEN_DRAFTS):
        actions.draft_job("connect-organization", scope, by=mira)

    code, error = planned(*good)

    assert (code, error["code"]) == (3, "SSS-DRAFTS")
    assert Job.objects.count() == actions.OPEN_DRAFTS
    assert not Secret.objects.filter(kind="job", destroyed_at=None).exists()


def test_without_a_worker_the_draft_is_kept_and_goes_on(
    good: tuple[str, ...], mira: Person
) -> None:
    code, error = planned(*good, "--pilot", "sss.pilot@contoso.example")

    assert (code, error["code"]) == (5, "SSS-WAITED")
    assert error["state_now"] == "J-1 is kept and goes on without this command."
    assert error["fix"] == ["See whether a worker runs: manage.py engine status"]
    job = Job.objects.get()
    assert (job.state, job.requester) == (JobState.CHECKING, mira)
    assert job.inputs["pilot"] == "sss.pilot@contoso.example"
    kept = TokenCertificate.objects.get()
    assert (job.inputs["certificate"], kept.uploaded_by) == (kept.pk, mira)


def test_a_draft_of_something_else_is_not_gone_on_with(good: tuple[str, ...], mira: Person) -> None:
    scope = Organization.objects.get(unique_name="ContosoService").scope
    actions.draft_job("connect-organization", scope, by=mira)

    code, error = planned(*good, "--job", "J-1")

    assert (code, error["message"]) == (2, "J-1 is no setup of ContosoSales.")


def test_only_requesters_plan(good: tuple[str, ...], jonas: Person, outsider: Person) -> None:
    assert planned(*good, by="jonas")[1]["code"] == "SSS-ROLE"
    assert planned(*good, by="outsider")[1]["message"] == (
        "There is no organization 'ContosoSales' for you."
    )
    assert nothing_is_kept()


def test_a_draft_of_somebody_else_is_left_alone(
    good: tuple[str, ...], mira: Person, jonas: Person
) -> None:
    jonas.grants.create(role=Role.REQUESTER, source="portal")
    scope = Organization.objects.get(unique_name="ContosoSales").scope
    job = actions.draft_job("connect-organization", scope, by=mira)

    code, error = planned(*good, "--job", job.name, by="jonas")

    assert (code, error["message"]) == (3, "J-1 is the request of Mira.")
    assert not TokenCertificate.objects.exists()


@pytest.fixture
def on_the_servers(contoso: dict[str, Any]) -> str:
    """The good sample is on the servers, as they were last read; give its thumbprint."""
    sample = contoso["samples"][0]
    _, found, _ = pkcs12.load_key_and_certificates(
        Path(sample["path"]).read_bytes(), sample["password"].encode()
    )
    assert found is not None
    row = {
        "thumbprint": found.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
        "sha256": found.fingerprint(hashes.SHA256()).hex().upper(),
        "subject": found.subject.rfc4514_string(),
        "issuer": found.issuer.rfc4514_string(),
        "raw": base64.b64encode(found.public_bytes(Encoding.DER)).decode(),
    }
    Reading.objects.create(
        organization=Organization.objects.get(unique_name="ContosoSales"),
        facts={"certificates": [row]},
        read_at=now(),
    )
    return row["thumbprint"]


def test_a_certificate_on_the_servers_is_chosen_by_its_thumbprint(
    on_the_servers: str, mira: Person
) -> None:
    spaced = " ".join(on_the_servers.lower()[start : start + 4] for start in range(0, 40, 4))

    code, error = planned("--thumbprint", spaced)

    assert (code, error["code"]) == (5, "SSS-WAITED")
    kept = TokenCertificate.objects.get()
    assert (kept.source, kept.thumbprint, kept.pfx) == ("servers", on_the_servers, None)
    assert Job.objects.get().inputs["certificate"] == kept.pk


def test_a_thumbprint_that_no_server_has_drafts_nothing(on_the_servers: str, mira: Person) -> None:
    code, error = planned("--thumbprint", "0" * 40)

    assert (code, error["field"]) == (2, "thumbprint")
    assert nothing_is_kept()
