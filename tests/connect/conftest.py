from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.access.models import Person, Role
from tests.conftest import make_person
from tests.connect.company import Company
from tests.environment import FOLDER
from tests.simulator_process import SimulatorProcess


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    """One simulator a test process; every test begins with a reset."""
    process = SimulatorProcess(FOLDER / "simulator")
    yield process
    process.stop()


@pytest.fixture
def company(simulator: SimulatorProcess, database_url: str) -> Company:
    """The simulated company as it is on the first day, known to this test's portal."""
    return Company(simulator, make_person("tom", Role.ADMIN))


@pytest.fixture
def olga(database_url: str) -> Person:
    """Requests for the second organization only."""
    return make_person("olga", Role.REQUESTER)
