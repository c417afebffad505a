"""A link of the chain that is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Missing:
    """The first missing link.

    ``link`` is a stable word for tests; ``text`` what the alert says, in words that real alerts use;
    ``machine`` the server it was found on. A permanent one disables the mailbox at once.
    """

    link: str
    text: str
    machine: str = ""
    is_permanent: bool = True
