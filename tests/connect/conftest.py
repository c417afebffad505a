from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from portal.access.models import Person, Role
from simulator.pki import Pki
from simulator.sample_certificates import good_certificate
from tests.conftest import make_person
from tests.connect.at_hand import AtHand
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


@pytest.fixture
def at_hand(
    simulator: SimulatorProcess, mira: Person, settings: Settings, tmp_path: Path
) -> AtHand:
    """The simulated company for a step alone; this process opens secrets, as a worker does."""
    settings.PORTAL_ROLE = "worker"
    settings.OPENING_KEY_FILE = str(FOLDER / "keys" / "opening.pem")
    settings.CLOUDS_FILE = str(tmp_path / "clouds.json")
    simulator.reset()
    good = good_certificate(Pki.load_or_create(simulator.state_dir / "pki"), datetime.now(UTC))
    return AtHand(simulator, good, make_person("tom", Role.ADMIN), mira)
