from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simulator.pki import Issued, Pki
from simulator.sample_certificates import good_certificate

AT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder: Path = tmp_path_factory.mktemp("pki")
    return Pki.load_or_create(folder, now=AT)


@pytest.fixture(scope="session")
def good(pki: Pki) -> Issued:
    """Fit in every respect on 23 November 2026."""
    return good_certificate(pki, AT)
