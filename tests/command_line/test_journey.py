"""The main job by commands alone, each a process of its own, against the simulated company."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from portal.jobs.models import Job
from portal.jobs.states import JobState
from sync_setup.models import TokenCertificate
from sync_setup.rehearsal import simulated
from sync_setup.rehearsal.ledger import differences
from tests.command_line.running import Ended, Started, readable, sign_in_settings
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack

TOM, MIRA, JONAS = (
    f"{name}@contoso.example" for name in ("tom.okafor", "mira.patel", "jonas.weber")
)


class Desk:
    """Somebody's terminal on the portal's machine, with the simulated company around it."""

    def __init__(self, stack: Stack, simulator: SimulatorProcess, folder: Path) -> None:
        self.stack, self.simulator, self.folder = stack, simulator, folder
        self.company = simulator.addresses
        self.settings = sign_in_settings(self.company)

    def run(self, who: str, *arguments: str, ends_with: int = 0) -> Any:
        """Run a verb with ``--as`` and give what it tells programs."""
        done = self.stack.command(
            "sss", *arguments, "--as", who, "--json", check=False, **self.settings
        )
        assert done.returncode == ends_with, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def signed_in(self, who: str, *arguments: str) -> Ended:
        """Run a verb, and sign in by the code that it shows."""
        environment = self.stack.environment | self.settings
        return Started(environment, "sss", *arguments, "--json").signs_in(who)

    def secret(self, name: str, text: str) -> str:
        return readable(self.folder, name, text)


@pytest.fixture
def desk(stack: Stack, simulator: SimulatorProcess, tmp_path: Path) -> Desk:
    simulator.reset()
    simulator.set_dial("crm/cycle_seconds", 0.5)
    simulator.set_dial("crm/test_seconds", 0.3)
    django_settings.CLOUDS_FILE = str(Path(django_settings.VAR_DIR) / "clouds.json")
    simulated.write_clouds(simulator.addresses)
    return Desk(stack, simulator, tmp_path)


def register(desk: Desk) -> None:
    """Enter everything that the portal reaches."""
    company = desk.company
    app, crm, winrm = company["setup_app"], company["crm_user"], company["winrm_user"]["change"]
    servers = [f"{row['name']}={row['host']}:{row['port']}" for row in company["servers"]]
    named = [part for server in servers for part in ("--server", server)]
    desk.run(TOM, "register-tenant", company["tenant_id"], "Contoso", "--cloud", "simulated")
    desk.run(
        TOM,
        *("tenant-access", "Contoso", "--client-id", app["client_id"], "--keeps"),
        *("--secret-file", desk.secret("app", app["client_secret"])),
    )
    desk.run(
        TOM,
        *("register-deployment", "Contoso CRM", "--web-api-url", company["crm"], *named),
        *("--tools", company["servers"][0]["name"], "--ca-file", company["ca"]),
    )
    desk.run(
        TOM,
        *("deployment-access", "Contoso CRM", "--crm-user", crm["username"]),
        *("--crm-password-file", desk.secret("crm", crm["password"])),
        *("--winrm-user", winrm["username"]),
        *("--winrm-password-file", desk.secret("winrm", winrm["password"])),
    )
    desk.run(TOM, "register-organization", "Contoso CRM", "Contoso", "ContosoSales")


def bring(desk: Desk, title: str) -> tuple[str, ...]:
    """Give the arguments that bring a sample certificate."""
    sample = next(row for row in desk.company["samples"] if row["title"].startswith(title))
    password = desk.secret(title.split(maxsplit=1)[0], sample["password"])
    return ("--pfx", sample["path"], "--password-file", password)


def test_one_organization_is_connected_by_commands(desk: Desk) -> None:
    desk.stack.worker()
    assert desk.signed_in(TOM, "who-am-i").json["roles"][0]["role"] == "admin"
    assert desk.signed_in(MIRA, "who-am-i").code == 0
    register(desk)

    doors = desk.run(MIRA, "test-connection", "ContosoSales")
    assert [door["name"] for door in doors["doors"]] == [
        *("Entra ID", "CRM server CRM-APP01", "CRM server CRM-APP02", "Dynamics"),
    ]
    look = desk.run(MIRA, "look", "ContosoSales")
    assert {link["key"]: link["state"] for link in look["links"]}["tenant-id"] == "to_do"
    assert "raw" not in look["certificates"][0]

    stopped = desk.run(
        MIRA,
        *("plan", "ContosoSales", *bring(desk, "Self-signed")),
        *("--pilot", desk.company["pilots"]["ContosoSales"]),
        ends_with=1,
    )
    asked = {row["key"] for row in stopped["checks"] if row["verdict"] == "to_record"}
    assert stopped["plan"] is None
    assert asked
    for question, answer in (
        ("ews-allow-list", "yes"),
        ("exchange-support-switch", "yes"),
        ("other-consumers", "none"),
    ):
        desk.run(MIRA, "record-answer", "ContosoSales", question, answer)
    first = desk.run(MIRA, "checks", stopped["job"], "--again")
    desk.run(MIRA, "request", first["job"], "--reason", "Renewal", "--ticket", "CHG-1042")

    desk.run(MIRA, "withdraw", first["job"])
    second = desk.run(
        MIRA, "plan", "ContosoSales", "--job", first["job"], *bring(desk, "Good certificate")
    )
    assert second["job"] == first["job"]
    assert second["digest"] != first["digest"]
    desk.run(MIRA, "request", second["job"], "--reason", "Renewal", "--ticket", "CHG-1042")

    assert desk.simulator.ledger() == []
    approve_as_is_right(desk, first["digest"], second)
    assert follow(desk, second["job"])["state"] == "succeeded"

    job = Job.objects.select_related("plan").get(kind="connect-organization")
    assert job.state == JobState.SUCCEEDED
    assert job.plan is not None
    assert differences(job.plan, desk.simulator.ledger()) == []
    told = desk.run(JONAS, "history", job.name)["entries"]
    approvals = [row for row in told if row["event"] == "job.approved"]
    assert [(row["actor"], row["via"]) for row in approvals] == [(JONAS, "command")]
    assert {row["via"] for row in told} == {"command", "worker"}


def approve_as_is_right(desk: Desk, old_digest: str, planned: dict[str, Any]) -> None:
    """Refuse requester, old plan and wrong proof; then have Jonas sign in and approve."""
    job, digest = planned["job"], planned["digest"]
    proof = thumbprint()[-4:]
    read = ("--digest", digest, "--sent", desk.run(MIRA, "show", job)["sending"])

    own = desk.run(MIRA, "approve", job, *read, "--proof", proof, ends_with=3)
    old = desk.signed_in(JONAS, "approve", job, *read, "--digest", old_digest, "--proof", proof)
    wrong = desk.signed_in(JONAS, "approve", job, *read, "--proof", "0000")
    right = desk.signed_in(JONAS, "approve", job, *read, "--proof", proof)

    assert own["error"]["code"] == "SSS-ROLE"
    assert (old.code, old.json["error"]["code"]) == (4, "SSS-PLAN-CHANGED")
    assert (wrong.code, wrong.json["error"]["code"]) == (2, "SSS-PROOF")
    assert (right.code, right.json["state"]) == (0, "approved")


def thumbprint() -> str:
    """Give the new certificate's thumbprint, as whoever issued it would tell it."""
    certificate = Job.objects.get(kind="connect-organization").inputs["certificate"]
    return TokenCertificate.objects.get(pk=certificate).thumbprint


def follow(desk: Desk, job: str) -> Any:
    """Follow to the end, and give the last line."""
    done = desk.stack.command(
        *("sss", "status", job, "--follow", "--timeout", "90", "--as", JONAS, "--json"),
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-3:], done.stderr)
    texts = [line["text"] for line in lines if line["event"] == "log"]
    assert texts[-1] == "Done: every step was read back from the other system."
    assert lines[-1]["event"] == "end"
    return lines[-1]
