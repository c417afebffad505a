from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser, sync_playwright

from portal.access.models import Role
from tests.conftest import make_person
from tests.environment import FOLDER
from tests.journeys.people import Visitor
from tests.journeys.portal import Portal
from tests.simulator_process import SimulatorProcess

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    """One simulator a test process; every journey begins with a reset."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not on this machine")
    process = SimulatorProcess(FOLDER / "journey-simulator")
    yield process
    process.stop()


@pytest.fixture(scope="session")
def static_files() -> None:
    """What the web process serves; it reads the folder once, at its start."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture
def portal(database_url: str, simulator: SimulatorProcess, static_files: None) -> Iterator[Portal]:
    """The portal's processes before a company of the first day."""
    portal = Portal(database_url, simulator, make_person("first-start", Role.ADMIN))
    try:
        portal.start()
        yield portal
        # A page that failed is a defect even where nobody saw it.
        assert "Traceback" not in portal.web_log, portal.web_log
    finally:
        portal.close()


@pytest.fixture
def browser(portal: Portal) -> Iterator[Browser]:
    """Chromium. It starts after all database work of the test: its loop forbids that in this thread."""
    with sync_playwright() as playwright:
        # Chromium's sandbox needs a user other than root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Meet = Callable[..., Visitor]


@pytest.fixture
def meet(browser: Browser, portal: Portal) -> Iterator[Meet]:
    """Give the browser of a person who has signed in, or of somebody outside the portal."""
    met: list[Visitor] = []

    def visitor(name: str, *, script: bool = True) -> Visitor:
        met.append(Visitor(browser, portal.origin, script=script))
        met[-1].sign_in(name)
        return met[-1]

    yield visitor
    for person in met:
        person.close()
