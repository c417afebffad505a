"""The simulator's control API, for what in the real world other people do: here the tenant's administrator."""

from __future__ import annotations

from typing import Any

import requests


class SimulatorControl:
    """Turn dials, read the ledger, act as the administrators of the simulated company."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False

    def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """Give the effects after this number."""
        return list(self._ask("GET", f"/ledger?since={since}"))

    def turn(self, **dial: Any) -> None:
        """Add a dial: a fault (where, match, fault, times …) or a setting (set, value)."""
        self._ask("POST", "/dials", dial)

    def delete_setup_app(self, client_id: str) -> None:
        """Delete the setup app, as the tenant's administrator does once the job asks for it."""
        applications = self._ask("GET", "/world?path=tenants/0/applications")
        for place, application in enumerate(applications):
            if application["client_id"] == client_id:
                path = f"tenants/0/applications/{place}"
                self._ask("POST", "/world", {"path": path, "remove": True})

    def keep_setup_app(self, client_id: str) -> dict[str, Any]:
        """Give the setup app as it is, to be put back by ``restore_setup_app``."""
        applications = self._ask("GET", "/world?path=tenants/0/applications")
        return dict(next(row for row in applications if row["client_id"] == client_id))

    def restore_setup_app(self, application: dict[str, Any]) -> None:
        """Register the setup app again, as an administrator does for the next job."""
        applications = list(self._ask("GET", "/world?path=tenants/0/applications"))
        self._ask(
            "POST",
            "/world",
            {"path": "tenants/0/applications", "value": [*applications, application]},
        )

    def close(self) -> None:
        self._session.close()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self._session.request(method, f"{self._address}{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()
