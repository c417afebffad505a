"""Metadata of the real systems, kept as the simulator's own data, read once."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from simulator.odata.csdl import Metadata

FOLDER = Path(__file__).parent


@functools.cache
def graph_metadata() -> Metadata:
    """Microsoft Graph v1.0."""
    return Metadata(FOLDER / "graph.csdl.xml")


@functools.cache
def dynamics_metadata() -> Metadata:
    """The Dynamics Web API (8.x metadata; what version 9 adds stands in ``dynamics_rules``)."""
    return Metadata(FOLDER / "dynamics.csdl.xml")


@functools.cache
def dynamics_rules() -> dict[str, dict[str, Any]]:
    """By entity: what may be created, changed and read, lengths, ranges, defaults, option sets.

    Source: the version 9 on-premises entity reference.
    """
    return dict(json.loads((FOLDER / "dynamics_rules.json").read_text(encoding="utf-8")))
