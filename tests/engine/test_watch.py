"""The watch lives as long as its worker, whatever happens to the broker, to one job or to the watch itself."""

from __future__ import annotations

import os
import re
import signal
import socket
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from django.db import connection
from django.db.models.functions import Now

from portal.access.models import Person, Scope
from portal.jobs import actions
from portal.jobs.models import Duty, Job
from portal.jobs.states import JobState
from tests import services
from tests.engine.toy_world import ALL_EFFECTS, ToyWorld, planned_job, send_and_approve, wait_for
from tests.environment import FOLDER
from tests.stack import Process, Stack, children_of
from tests.waiting import wait_until

AWAY = "the broker is away"


def watch_of(worker: Process) -> int | None:
    """The process id of the worker's watch, once it runs its own program."""
    for child in children_of(worker.popen.pid):
        try:
            line = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if line.endswith(b"\0django\0watch\0"):
            return child
    return None


def a_watch(worker: Process, *, other_than: int | None = None) -> int:
    def found() -> int | None:
        pid = watch_of(worker)
        return pid if pid != other_than else None

    return wait_until(found, seconds=20)


def no_broker(stack: Stack) -> str:
    return f"redis+socket://{stack.folder}/nobody.sock"


def test_another_watch_appears_while_the_broker_was_never_there(stack: Stack) -> None:
    worker = stack.worker_without_broker(REDIS_URL=no_broker(stack))
    first = a_watch(worker)
    worker.wait_for("Cannot connect to")

    os.kill(first, signal.SIGKILL)

    assert a_watch(worker, other_than=first)
    assert worker.stop() == 0


def test_broker_and_watch_may_go_and_come_back(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    if services.find("redis-server") is None:
        pytest.skip("redis-server is not on this machine")
    folder = Path(mkdtemp(dir=FOLDER))
    with ExitStack() as broker:
        url = broker.enter_context(services.redis(folder))
        worker = stack.worker(REDIS_URL=url)
        first = a_watch(worker)
        broker.close()
        worker.wait_for("Cannot connect to")
        os.kill(first, signal.SIGKILL)
        second = a_watch(worker, other_than=first)

        world = ToyWorld(tmp_path)
        job = planned_job(world, scope, mira)
        send_and_approve(job, mira, jonas)
        wait_for(job, JobState.SUCCEEDED, seconds=60)
        assert world.effects == ALL_EFFECTS
        assert Job.objects.get(pk=job.pk).worker.endswith(f":{second}")

        broker.enter_context(services.redis(folder))
        os.kill(second, signal.SIGSTOP)  # what is done from here on was rung for

        def rung_for() -> bool:
            draft = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(tmp_path)})
            actions.ask_for_checks(draft, by=mira)
            stack.command("shell", "-c", RING.format(number=draft.number), REDIS_URL=url)
            # A watch stopped inside a claim holds the counter's row until its worker ends it (SILENT_S).
            return wait_for(draft, JobState.DRAFT, seconds=60).plan is not None

        assert rung_for()


def test_a_folder_that_cannot_be_used_is_a_broker_that_is_away(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person
) -> None:
    here = str(tmp_path)
    world, folder = ToyWorld(tmp_path), tmp_path / "broker"
    worker = stack.worker(PORTAL_VAR=here, REDIS_URL="")
    watch = a_watch(worker)

    rmtree(folder)
    folder.write_text("no folder")
    worker.wait_for("Connection to broker lost")
    os.kill(watch, signal.SIGKILL)
    watch = a_watch(worker, other_than=watch)
    planned_job(world, scope, mira)

    folder.unlink()
    os.kill(watch, signal.SIGSTOP)
    wait_until(lambda: (folder / "control").exists())  # Celery has made it anew
    job = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(tmp_path)})
    actions.ask_for_checks(job, by=mira)
    bell = RING.format(number=job.number)
    stack.command("shell", "-c", bell, PORTAL_VAR=here, REDIS_URL="")
    wait_for(job, JobState.DRAFT)


def test_a_worker_keeps_its_connection_and_replaces_one_that_was_cut(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connections that somebody could cut")
    world = ToyWorld(tmp_path)
    worker = stack.worker(UNCLAIMED_S="60")  # so that it is the pool, not the watch, that works

    def plan() -> None:
        job = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(world.folder)})
        actions.ask_for_checks(job, by=mira)
        wait_for(job, JobState.DRAFT)

    os.kill(a_watch(worker), signal.SIGSTOP)
    plan()
    before = other_backends()
    plan()
    assert other_backends() == before

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [sorted(before)])
    plan()
    assert other_backends().isdisjoint(before)


def other_backends() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


RING = "from portal.jobs.bell import ring; assert ring({number})"


def test_only_the_worker_itself_holds_the_pipe_on_which_its_watch_hangs(stack: Stack) -> None:
    worker = stack.worker()
    watch = a_watch(worker)

    def pool() -> set[int]:
        return set(children_of(worker.popen.pid)) - {watch}

    # The first child was forked before the watch was started, so it is the next that could inherit.
    before = pool()
    for child in before:
        os.kill(child, signal.SIGKILL)
    (child,) = wait_until(lambda: pool() - before)

    pipe = os.readlink(f"/proc/{watch}/fd/0")
    assert pipe in open_files(worker.popen.pid)
    wait_until(lambda: pipe not in open_files(child), seconds=5)

    os.kill(worker.popen.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(watch), seconds=10)


def open_files(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found.add(os.readlink(file))
    return found


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def refuse_to_start(job: Job) -> None:
    """Have the database refuse the first claim of this job, as it would for any damaged row."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER damaged BEFORE INSERT ON jobs_approvaluse"
                f" WHEN NEW.job_id = {job.number} BEGIN SELECT RAISE(ABORT, 'damaged'); END"
            )
            return
        cursor.execute(
            "CREATE FUNCTION damaged() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'damaged'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER damaged BEFORE INSERT ON jobs_approvaluse FOR EACH ROW"
            f" WHEN (NEW.job_id = {job.number}) EXECUTE FUNCTION damaged()"
        )


def test_an_error_of_one_job_keeps_no_other_waiting(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    worker = stack.worker_without_broker(REDIS_URL=no_broker(stack))
    watch = a_watch(worker)
    worlds = []
    for name in ("damaged", "sound"):
        (tmp_path / name).mkdir()
        worlds.append(ToyWorld(tmp_path / name))
    damaged, sound = (planned_job(world, scope, mira) for world in worlds)
    refuse_to_start(damaged)

    send_and_approve(damaged, mira, jonas)
    worker.wait_for(f"J-{damaged.number} cannot be taken")
    send_and_approve(sound, mira, jonas)
    wait_for(sound, JobState.SUCCEEDED)

    assert Job.objects.get(pk=damaged.pk).state == JobState.APPROVED
    assert watch_of(worker) == watch
    assert "Traceback" in worker.log

    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else " ON jobs_approvaluse"
        cursor.execute(f"DROP TRIGGER damaged{on}")
    wait_for(damaged, JobState.SUCCEEDED)


def test_duties_are_done_between_the_steps_of_a_long_job(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person, jonas: Person
) -> None:
    world = ToyWorld(tmp_path)
    worker = stack.worker_without_broker(REDIS_URL=no_broker(stack))
    job = planned_job(world, scope, mira)
    world.dial("look", "sleep", times=6, seconds=0.7)
    send_and_approve(job, mira, jonas)
    worker.wait_for(f"J-{job.number} stays unclaimed")
    wait_for(job, JobState.RUNNING)

    Duty.objects.filter(name="destroy-job-secrets").update(due_at=Now() - timedelta(seconds=1))
    at = Duty.objects.get(name="destroy-job-secrets").last_at
    wait_for(job, JobState.SUCCEEDED)

    duty, ended = Duty.objects.get(name="destroy-job-secrets"), Job.objects.get(pk=job.pk).ended_at
    assert duty.last_at is not None
    assert ended is not None
    assert duty.last_at != at
    assert duty.last_at < ended


def test_a_bell_that_does_not_ring_is_tried_once_a_round(
    stack: Stack, tmp_path: Path, scope: Scope, mira: Person
) -> None:
    for _ in range(4):
        draft = actions.draft_job("toy", scope, by=mira, inputs={"folder": str(tmp_path)})
        actions.ask_for_checks(draft, by=mira)
    worker = stack.worker_without_broker(
        REDIS_URL=no_broker(stack), WATCH_INTERVAL_S="2", UNCLAIMED_S="60"
    )

    def twice() -> list[str]:
        lines = [line for line in worker.log.splitlines() if AWAY in line]
        return lines if len(lines) >= 3 else []

    times = [instant_of(line) for line in wait_until(twice)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= timedelta(seconds=1.9)


def instant_of(line: str) -> datetime:
    found = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})", line)
    assert found
    return datetime.fromisoformat(f"{found[1]}.{found[2]}+00:00")


def test_whoever_rings_does_not_wait_for_a_broker_that_says_nothing(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        said = stack.command(
            "shell", "-c", TIMED_RING, REDIS_URL=f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        ).stdout

    assert float(said.split()[-1]) < 3  # Celery's own figures: 5 s


TIMED_RING = """
import time
from portal.jobs.bell import ring
ring(1)
began = time.monotonic()
assert not ring(1)
print(time.monotonic() - began)
"""
