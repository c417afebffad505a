"""Run a command with a private PostgreSQL and a private Redis, on sockets in a temporary folder.

``python -m tests.services COMMAND …`` sets DATABASE_URL and REDIS_URL for it. Exit 77 with the reason
when a server program is not on this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

MISSING = 77


def find(program: str) -> str | None:
    """Give the path of a server program; Debian keeps PostgreSQL's outside the search path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    return str(debian[0]) if debian else shutil.which(program)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own; as root it runs as the user ``postgres``, since it refuses root."""
    initdb, server = find("initdb"), find("postgres")
    assert initdb
    assert server
    data = folder / "postgresql"
    data.mkdir()
    user: dict[str, str] = {}
    if os.getuid() == 0:
        folder.chmod(0o711)
        shutil.chown(data, "postgres", "postgres")
        user = {"user": "postgres", "group": "postgres"}
    subprocess.run(
        [
            initdb,
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        **user,  # type: ignore[call-overload]
    )
    process = subprocess.Popen(
        [
            server,
            "-D",
            str(data),
            "-k",
            str(data),
            "-h",
            "",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
        ],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "postgresql.log").open("wb"),
        **user,  # type: ignore[call-overload]
    )
    url = f"postgresql://postgres@/postgres?host={data}"
    try:
        _until(lambda: _postgresql_answers(url), process)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _postgresql_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a Redis of our own, keeping nothing on disk."""
    server = find("redis-server")
    assert server
    socket = folder / "redis.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        _until(socket.exists, process)
        yield f"redis+socket://{socket}"
    finally:
        process.terminate()
        process.wait(20)


def _until(question: object, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while not question():  # type: ignore[operator]
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"{process.args!r} did not start.")
        time.sleep(0.02)


def main() -> int:
    """Start both, run the command, stop both."""
    for program in ("postgres", "redis-server"):
        if find(program) is None:
            sys.stderr.write(f"Skipped: {program} is not on this machine.\n")
            return MISSING
    folder = Path(tempfile.mkdtemp(prefix="sss-services-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        environment = os.environ | {
            "DATABASE_URL": stack.enter_context(postgresql(folder)),
            "REDIS_URL": stack.enter_context(redis(folder)),
        }
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
