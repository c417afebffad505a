"""What the simulated systems have in common: the world, the ledger, dials, keys and addresses."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.dials import Dials
from simulator.ledger import Ledger
from simulator.places import Places
from simulator.state import World
from simulator.tokens import TokenKey
from simulator.web.calls import Calls


@dataclass
class Simulation:
    """One simulator. Systems hold this object, never the world itself: a reset replaces it.

    The AD FS farms share one token-signing key, as CRM trusts one issuer.
    """

    world: World
    ledger: Ledger
    dials: Dials
    entra_key: TokenKey
    farm_key: TokenKey
    calls: Calls
    places: Places = field(default_factory=Places)
