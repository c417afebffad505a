"""Where everything listens: base addresses and ports of one simulator."""

from __future__ import annotations

from dataclasses import dataclass

OFFSETS = {
    "entra": 0,
    "graph": 1,
    "adfs2019": 2,
    "adfs2016": 3,
    "crm": 4,
    "authorize": 5,
    "control": 6,
}
FIRST_SERVER_OFFSET = 10
"""CRM servers listen from BASE + 10 on, in the order of the deployment."""


def port_of(base: int, name: str) -> int:
    """The fixed port of a system; 0 (any free one) where the base is 0."""
    return base + OFFSETS[name] if base else 0


@dataclass
class Places:
    """Base addresses without a trailing slash, known once every socket is bound."""

    entra: str = ""
    graph: str = ""
    adfs2019: str = ""
    adfs2016: str = ""
    crm: str = ""
    authorize: str = ""
    control: str = ""
