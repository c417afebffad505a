from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.clients import Clients
from tests.simulator_process import SimulatorProcess


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """One simulator for all tests of this worker."""
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"))
    yield process
    process.stop()
    output = (process.state_dir / "output.log").read_text(encoding="utf-8")
    assert "Traceback" not in output, output


@pytest.fixture
def sim(simulator: SimulatorProcess) -> SimulatorProcess:
    """The simulator with a fresh world."""
    simulator.reset()
    return simulator


@pytest.fixture
def clients(sim: SimulatorProcess) -> Iterator[Clients]:
    """Clients of its systems, signed in the way the product signs in."""
    clients = Clients(sim)
    yield clients
    clients.close()
