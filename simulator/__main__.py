"""``python -m simulator --state DIR``: start, say "ready", run until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from simulator.addresses import write_addresses
from simulator.default_world import SEED
from simulator.dials import Dials
from simulator.running import Simulator


def main() -> int:
    """Run one simulator; 0 after a clean stop."""
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    file = arguments.state / "addresses.json"
    file.unlink(missing_ok=True)
    dials = Dials.from_file(arguments.dials) if arguments.dials else Dials()
    simulator = Simulator(
        arguments.state,
        arguments.port,
        arguments.control,
        dials,
        arguments.reset,
        arguments.seed,
        arguments.record_wsman,
    )
    simulator.start()
    write_addresses(simulator, file)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    stop.wait()
    simulator.stop()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps the world")
    parser.add_argument("--port", type=int, default=0, help="first port; 0: any free ones")
    parser.add_argument("--seed", type=int, default=SEED, help="of a new world")
    parser.add_argument("--control", action="store_true", help="listen for the control API")
    parser.add_argument("--dials", type=Path, help="JSON file with dials to start with")
    parser.add_argument(
        "--record-wsman",
        type=Path,
        metavar="FILE",
        help="write what the CRM servers are sent and answer into FILE, secrets included",
    )
    parser.add_argument("--reset", action="store_true", help="forget the kept world")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
