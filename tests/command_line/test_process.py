"""What only a process of its own shows: usage, signals, standard input, a database that is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from portal.access.models import Person
from portal.jobs.models import Installation, Job
from portal.vault.models import Secret
from sync_setup.models import EntraTenant
from tests.stack import ROOT, Stack


def start(stack: Stack, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        env=stack.environment,
        cwd=ROOT,
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Tests that a shell runs in the background inherit that Ctrl-C is ignored; a person's do not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_wrong_usage_ends_with_2(stack: Stack) -> None:
    ended = stack.command("sss", "approve", "J-x", "--digest", "x", "--sent", "x", check=False)

    assert ended.returncode == 2
    assert "'J-x' is no job: write it like J-1042" in ended.stderr


def test_a_database_that_was_not_set_up_is_said(stack: Stack, tmp_path: Path) -> None:
    ended = stack.command(
        *("sss", "status", "--as", "mira"),
        check=False,
        DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3",
    )

    assert ended.returncode == 5
    assert "The database cannot be used (OperationalError). (SSS-DATABASE)" in ended.stderr
    assert "manage.py migrate" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_leaves_the_job_to_the_workers(stack: Stack, waiting: Job) -> None:
    Job.objects.update(state="queued", run_after="2999-01-01T00:00Z", note="Waits for J-7.")
    process = start(stack, "sss", "status", "J-1", "--follow", "--as", "mira")
    assert process.stdout is not None
    assert process.stdout.readline() == "J-1  Queued: Waits for J-7.\n"

    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "What a worker has begun goes on" in told
    assert "Traceback" not in told


def test_a_secret_comes_by_standard_input(stack: Stack, tom: Person) -> None:
    tenant = EntraTenant.objects.create(
        tenant_id="11111111-2222-3333-4444-555555555555", name="Contoso", cloud="simulated"
    )
    given = ("--client-id", str(tenant.tenant_id), "--secret-file", "-", "--as", "tom")
    process = start(stack, "sss", "tenant-access", "Contoso", *given, stdin=subprocess.PIPE)

    out, err = process.communicate("Canary-Secret\n", timeout=60)

    assert process.returncode == 0, err
    assert out == "Setup app of Contoso kept, sealed for the workers.\n"
    assert "Canary" not in err
    assert Secret.objects.get().label == "setup app credential"


def test_a_name_is_refused_in_production(stack: Stack, mira: Person) -> None:
    # Whatever the environment says, the database knows what it is for.
    Installation.objects.update(mode="production")

    ended = stack.command("sss", "status", "--as", "mira", check=False, PORTAL_MODE="rehearsal")

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("--as is for rehearsals")
