"""The portal's own processes, real ones, for tests that start, stop and kill them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import redis

from portal.vault import keys
from tests.environment import FOLDER
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent


class Process:
    """One started process with its own group and a log file."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.log_file = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                arguments,
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for(self, text: str, *, seconds: float = 30) -> None:
        """Wait until the log has this text."""

        def seen() -> bool:
            if self.popen.poll() is not None and text not in self.log:
                raise AssertionError(f"Ended with {self.popen.returncode}:\n{self.log[-3000:]}")
            return text in self.log

        wait_until(seen, seconds=seconds)

    def kill_tree(self) -> None:
        """SIGKILL to the whole process group: what a power cut does."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(10)

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, as an init system would, and wait."""
        if self.popen.poll() is None:
            self.popen.terminate()
        return self.popen.wait(seconds)


class Stack:
    """Workers (and later web processes) of one portal on one database."""

    def __init__(self, database_url: str, **settings: str) -> None:
        self.folder = FOLDER / f"stack-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir()
        public, private = keys.make_pair(FOLDER / "keys")
        self.private_key = private
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "SEALING_KEY_FILE": str(public),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
        }
        self.environment |= settings
        self.processes: list[Process] = []
        _empty_broker()

    def worker(self, *, concurrency: int = 1, **settings: str) -> Process:
        """Start a worker with its watch, and wait until it takes messages."""
        process = self.worker_without_broker(concurrency=concurrency, **settings)
        process.wait_for(" ready.")
        return process

    def worker_without_broker(self, *, concurrency: int = 1, **settings: str) -> Process:
        """Start a worker with its watch; it may never get as far as taking messages."""
        environment = self.environment | {
            "PORTAL_ROLE": "worker",
            "OPENING_KEY_FILE": str(self.private_key),
        }
        return self._start(
            [
                *(sys.executable, "-m", "celery", "-A", "portal", "worker"),
                *("-Q", "sss", "-c", str(concurrency), "--loglevel", "INFO"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            environment | settings,
            "worker",
        )

    def command(
        self, *arguments: str, check: bool = True, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` and wait for its end."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment | settings,
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=300,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def close(self) -> None:
        """Kill what is left."""
        for process in self.processes:
            process.kill_tree()

    def _start(self, arguments: list[str], environment: dict[str, str], name: str) -> Process:
        log = self.folder / f"{name}-{len(self.processes)}.log"
        process = Process(arguments, environment, log)
        self.processes.append(process)
        return process


def _empty_broker() -> None:
    """Take away what an earlier test left, messages of jobs with the same numbers."""
    if url := os.environ.get("REDIS_URL"):
        redis.Redis(unix_socket_path=url.removeprefix("redis+socket://")).flushall()
        return
    shutil.rmtree(FOLDER / "broker", ignore_errors=True)
    (FOLDER / "broker").mkdir()


def children_of(pid: int) -> list[int]:
    """Give the process ids whose parent is ``pid``."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"\nPPid:\t{pid}\n" in text:
            found.append(int(status.parent.name))
    return sorted(found)
