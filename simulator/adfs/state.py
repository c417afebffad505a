"""An AD FS farm and its clients."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Client:
    """A registered client (Add-AdfsClient, Grant-AdfsApplicationPermission)."""

    client_id: str
    name: str
    redirect_uris: list[str] = field(default_factory=list)
    may_use_password: bool = True


@dataclass
class Farm:
    """One farm; ``kind`` is 2019 or 2016."""

    kind: str
    clients: list[Client] = field(default_factory=list)
