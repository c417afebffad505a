from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from portal.access.models import Person, Role
from tests.conftest import make_person
from tests.connect.company import Company
from tests.environment import FOLDER
from tests.leaks.exposed import Exposed
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack


@pytest.fixture(scope="session")
def wsman() -> Path:
    """Where the simulator writes what WinRM carried."""
    return FOLDER / "wsman.jsonl"


@pytest.fixture(scope="session")
def simulator(wsman: Path) -> Iterator[SimulatorProcess]:
    """A simulator that records its messages."""
    process = SimulatorProcess(FOLDER / "leaks-simulator", "--record-wsman", str(wsman))
    yield process
    process.stop()


@pytest.fixture
def tom(database_url: str) -> Person:
    """Administers the portal."""
    return make_person("tom", Role.ADMIN)


@pytest.fixture
def exposed(
    stack: Stack, simulator: SimulatorProcess, tom: Person, tmp_path: Path, wsman: Path
) -> Iterator[Exposed]:
    """The portal before the simulated company of the first day; no worker yet."""
    # Whitenoise warns about a folder that collectstatic has not made yet.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    exposed = Exposed(stack, Company(simulator, tom), tmp_path, wsman)
    yield exposed
    exposed.close()
