from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from portal.access.models import Person, Role
from simulator.pki import Issued, Pki
from simulator.sample_certificates import good_certificate
from tests.checks.company import Company
from tests.conftest import make_person
from tests.environment import FOLDER
from tests.simulator_process import SimulatorProcess


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """One simulator for all tests of this process."""
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"))
    yield process
    process.stop()


@pytest.fixture(scope="session")
def good(simulator: SimulatorProcess) -> Issued:
    return good_certificate(
        Pki.load_or_create(simulator.state_dir / "pki"), dt.datetime.now(dt.UTC)
    )


@pytest.fixture
def tom(database_url: str) -> Person:
    """Administers."""
    return make_person("tom", Role.ADMIN)


@pytest.fixture
def company(
    simulator: SimulatorProcess,
    good: Issued,
    tom: Person,
    mira: Person,
    settings: Settings,
    tmp_path: Path,
) -> Company:
    """The simulated company as it is on the first day; this process opens secrets, as a worker does."""
    settings.PORTAL_ROLE = "worker"
    settings.OPENING_KEY_FILE = str(FOLDER / "keys" / "opening.pem")
    settings.CLOUDS_FILE = str(tmp_path / "clouds.json")
    simulator.reset()
    return Company(simulator, good, tom, mira)
