"""What sign-ins leave behind until they are redeemed: codes, device codes, refresh tokens."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field

from simulator.entra.state import Person


@dataclass
class Grant:
    """A sign-in by a person at an application, with what the application asked for.

    With AD FS ``tenant_id`` is the kind of the farm and ``resource`` the relying party.
    """

    tenant_id: str
    client_id: str
    scope: str
    person: Person | None = None
    redirect_uri: str = ""
    nonce: str = ""
    challenge: str = ""
    resource: str = ""
    is_redeemed: bool = False
    is_declined: bool = False
    expires_at: float = field(default_factory=lambda: time.monotonic() + 600)

    @property
    def is_expired(self) -> bool:
        return time.monotonic() >= self.expires_at


class Grants:
    """Open grants in memory: a restart of the simulator forgets them, as a new sign-in mends that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, Grant] = {}
        self._device_codes: dict[str, Grant] = {}
        self._user_codes: dict[str, Grant] = {}
        self._refresh_tokens: dict[str, Grant] = {}

    def new_code(self, grant: Grant) -> str:
        return self._keep(self._codes, f"0.{secrets.token_urlsafe(48)}", grant)

    def new_refresh_token(self, grant: Grant) -> str:
        return self._keep(self._refresh_tokens, f"1.{secrets.token_urlsafe(64)}", grant)

    def new_device_code(self, grant: Grant) -> tuple[str, str]:
        """The device code and the code that the person types (nine letters)."""
        user_code = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(9))
        self._keep(self._user_codes, user_code, grant)
        return self._keep(self._device_codes, secrets.token_urlsafe(48), grant), user_code

    def code(self, code: str) -> Grant | None:
        return self._codes.get(code)

    def device_code(self, code: str) -> Grant | None:
        return self._device_codes.get(code)

    def user_code(self, code: str) -> Grant | None:
        return self._user_codes.get(code.strip().upper().replace("-", ""))

    def refresh_token(self, token: str) -> Grant | None:
        return self._refresh_tokens.get(token)

    def redeem(self, grant: Grant) -> bool:
        """Use a grant up; False if somebody else was first."""
        with self._lock:
            if grant.is_redeemed:
                return False
            grant.is_redeemed = True
            return True

    def clear(self) -> None:
        with self._lock:
            for kept in (
                self._codes,
                self._device_codes,
                self._user_codes,
                self._refresh_tokens,
            ):
                kept.clear()

    def _keep(self, kept: dict[str, Grant], name: str, grant: Grant) -> str:
        with self._lock:
            kept[name] = grant
        return name
