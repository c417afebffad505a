"""The cage holds: time, memory, files, descriptors, places; and nothing secret can be seen outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from simulator.pki import Issued
from sync_setup.inspection.inspector import inspect_pfx, read_answer
from sync_setup.inspection.isolation import Ended, ask_child, run_script
from tests.inspection import making
from tests.inspection.conftest import AT

PROBE = Path(__file__).with_name("cage_probe.py")
CANARY = "canary-Zq7hT2"


def _run(*arguments: str, data: bytes = b"", secrets: str = "", wall_s: float = 8) -> Ended:
    return run_script(PROBE, list(arguments), data, secrets, wall_s=wall_s)


def _told(ended: Ended) -> Any:
    return json.loads(ended.answer)


def test_the_child_limits_itself_and_sees_nothing_of_its_parent() -> None:
    assert os.environ["PATH"]
    with open(os.devnull) as listening:
        os.set_inheritable(listening.fileno(), True)

        told = _told(_run("tell", data=b"the file", secrets=CANARY))

    megabytes = 1024 * 1024
    assert told["limits"] == {
        "RLIMIT_CPU": [5, 5],
        "RLIMIT_AS": [512 * megabytes, 512 * megabytes],
        "RLIMIT_CORE": [0, 0],
        "RLIMIT_FSIZE": [0, 0],
        "RLIMIT_NPROC": [0, 0],
    }
    assert told["descriptors"] == [0, 1, 2, 3, 4]
    assert (told["standard input"], told["secrets"]) == ("the file", CANARY)
    assert told["arguments"] == ["tell"]
    # Python itself sets a locale where the environment is empty.
    assert set(told["environment"]) <= {"LC_CTYPE"}
    assert told["group"]
    assert told["foreign modules"] == []


def test_computing_too_long_ends_in_death() -> None:
    ended = _run("spin")

    assert (ended.answer, ended.signal) == (b"", signal.SIGXCPU)
    assert read_answer(ended, AT).codes == ("inspection_timeout",)


def test_waiting_too_long_ends_in_death() -> None:
    ended = _run("rest", "30", wall_s=0.5)

    assert (ended.answer, ended.signal) == (b"", signal.SIGKILL)
    assert ended.seconds < 3
    assert read_answer(ended, AT).codes == ("inspection_timeout",)


def test_memory_ends_at_half_a_gigabyte() -> None:
    assert _told(_run("swallow")) == {"refused": True}


def test_no_file_can_be_written(tmp_path: Path) -> None:
    assert _told(_run("write", str(tmp_path / "leak"))) == {"refused": "File too large"}


def test_the_network_is_out_of_reach_where_the_kernel_can_do_that() -> None:
    alone = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x50000000) != 0)"
    can = subprocess.run([sys.executable, "-c", alone], check=False).returncode == 0

    with socket.create_server(("127.0.0.1", 0)) as server:
        told = _told(_run("network", str(server.getsockname()[1])))

    assert told == ({"refused": "Network is unreachable"} if can else {"reached": True})


def test_two_inspections_run_at_a_time_and_the_third_waits() -> None:
    with ThreadPoolExecutor(5) as pool:
        times = [_told(ended) for ended in pool.map(lambda _: _run("rest", "0.2"), range(5))]

    starts = [(each["from"], 1) for each in times]
    ends = [(each["to"], -1) for each in times]
    running = most = 0
    for _, step in sorted(starts + ends):
        running += step
        most = max(most, running)
    assert most <= 2


def test_no_descriptor_and_no_child_is_left_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))
    # Other tests of this process may keep children of their own: a simulator for the whole session.
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    kept = children.read_text()

    for arguments in (("tell",), ("rest", "30")):
        _run(*arguments, wall_s=0.5)

    assert len(os.listdir("/proc/self/fd")) == before
    assert children.read_text() == kept


def test_the_password_is_in_no_argument_and_no_environment(good: Issued) -> None:
    slow = making.mac_claims(making.pfx_of(good), 1_000_000)
    seen: set[str] = set()
    with ThreadPoolExecutor(1) as pool:
        inspection = pool.submit(inspect_pfx, slow, CANARY, at=AT)
        while not inspection.done():
            seen |= _visible_to_others()
            time.sleep(0.01)

    assert inspection.result().codes == ("wrong_password_or_damaged",)
    assert any("child/main.py" in text for text in seen)
    assert not any(CANARY in text for text in seen)


def test_an_answer_of_a_child_that_broke_down_is_a_refusal() -> None:
    ended = ask_child("no such question", AT, b"", {"password": ""})

    assert read_answer(ended, AT).codes == ("wrong_password_or_damaged",)
    assert read_answer(Ended(b"{", 0.1), AT).codes == ("inspection_timeout",)


def test_other_greenlets_go_on_during_an_inspection(good: Issued, tmp_path: Path) -> None:
    # The web server serves many requests in one thread; a bomb in one must not stop the others.
    bomb = tmp_path / "bomb.pfx"
    bomb.write_bytes(making.mac_claims(making.pfx_of(good), 1_000_000))
    script = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from sync_setup.inspection.inspector import inspect_pfx
ticks = 0
def tick():
    global ticks
    while True:
        gevent.sleep(0.02); ticks += 1
ticking = gevent.spawn(tick)
data = open(sys.argv[1], "rb").read()
reports = [gevent.spawn(inspect_pfx, data, "wrong") for _ in range(3)]
gevent.joinall(reports, raise_error=True)
print({report.value.codes for report in reports}, ticks > 10)
"""
    command = [sys.executable, "-c", script, str(bomb)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "{('wrong_password_or_damaged',)} True", done.stderr


def _visible_to_others() -> set[str]:
    texts = set()
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                texts.add((process / name).read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue
    return {text for text in texts if "child/main.py" in text or CANARY in text}
