from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from portal.access.models import Person, Role, Scope
from tests.access.browser import Browser, trust
from tests.access.forging_provider import ForgingProvider
from tests.access.planning import Desk
from tests.conftest import make_person
from tests.environment import FOLDER
from tests.simulator_process import SimulatorProcess

# The portal asks for response_mode=query on purpose; msal advises against it.
QUERY = "ignore:response_mode='form_post' is recommended"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(QUERY))


@pytest.fixture(scope="session", autouse=True)
def _static_root() -> None:
    Path(django_settings.STATIC_ROOT).mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    """One simulator a test process."""
    process = SimulatorProcess(FOLDER / "simulator-access")
    yield process
    process.stop()


@pytest.fixture
def entra(simulator: SimulatorProcess, settings: Any, database_url: str) -> SimulatorProcess:
    """The simulated Entra ID as it is on the first day, trusted by the portal."""
    simulator.reset()
    trust(simulator, settings)
    return simulator


@pytest.fixture(scope="session")
def forging_provider() -> Iterator[ForgingProvider]:
    provider = ForgingProvider(FOLDER / "forging-provider")
    yield provider
    provider.close()


@pytest.fixture
def forger(forging_provider: ForgingProvider, settings: Any, database_url: str) -> ForgingProvider:
    """An identity provider that says whatever the test tells it to, trusted by the portal."""
    forging_provider.reset()
    settings.SIGN_IN_AUTHORITY = forging_provider.authority
    settings.SIGN_IN_CLIENT_ID = forging_provider.client_id
    settings.SIGN_IN_CLIENT_SECRET = "a secret of the provider's"
    settings.SIGN_IN_CA_FILE = str(forging_provider.ca)
    settings.PORTAL_ORIGIN = "http://localhost:8000"
    return forging_provider


NewBrowser = Callable[[], Browser]
As = Callable[[Person], Client]


@pytest.fixture
def new_browser(database_url: str) -> Iterator[NewBrowser]:
    """Give browsers that know nothing of each other."""
    made: list[Browser] = []

    def make() -> Browser:
        made.append(Browser())
        return made[-1]

    yield make
    for browser in made:
        browser.close()


@pytest.fixture
def browser(new_browser: NewBrowser) -> Browser:
    return new_browser()


@pytest.fixture
def as_() -> As:
    """Give a browser in which this person is signed in."""

    def client(person: Person) -> Client:
        signed_in = Client()
        signed_in.force_login(person, backend="portal.access.backends.BreakGlass")
        return signed_in

    return client


@pytest.fixture
def lena(database_url: str) -> Person:
    """Approves everywhere."""
    return make_person("lena", Role.APPROVER)


@pytest.fixture
def elsewhere(database_url: str) -> Scope:
    """Another organization."""
    return Scope.objects.create(kind="organization", slug="fabrikam", title="Fabrikam")


@pytest.fixture
def desk(scope: Scope, mira: Person, tmp_path: Path, settings: Any) -> Desk:
    """Where Mira prepares jobs for Contoso."""
    # Nobody beats for the claims that a test takes: they must last as long as it does.
    settings.LEASE_S = 120
    return Desk(scope, mira, tmp_path)
