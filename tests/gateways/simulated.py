"""A running simulator and gateways that point at it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sync_setup.gateways.clouds import Cloud
from sync_setup.gateways.contract_changes import Order
from sync_setup.gateways.crm_server import CrmServer
from sync_setup.gateways.dynamics import Dynamics
from sync_setup.gateways.dynamics_sign_in import DynamicsCredential, DynamicsTarget
from sync_setup.gateways.graph import Graph
from sync_setup.gateways.identifiers import AppId, OperationId, Sha256
from sync_setup.gateways.remoting import AccountSecret, Endpoint
from sync_setup.gateways.remoting_sign_in import PasswordSignIn, SignIn
from sync_setup.gateways.route import Route
from sync_setup.gateways.tokens import AppTokens, EntraApp

PORTAL_ID = "7c1b8f0e-3a52-4a6b-9f0d-2f4f6b1c0a11"
TOOLS, ASYNC = "CRM-APP01", "CRM-APP02"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Simulator:
    """A simulator in a process of its own, with its control API."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--state", str(folder), "--control"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.addresses: dict[str, Any] = json.loads((folder / "addresses.json").read_text())
        self.tenant_id = str(self.addresses["tenant_id"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    # --- control -----------------------------------------------------------------------------
    def control(self, method: str, path: str, payload: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - http on this machine
            self.addresses["control"] + path,
            method=method,
            data=None if payload is None else json.dumps(payload).encode(),
            headers={"Content-Type": "application/json"},
        )
        with _DIRECT.open(request, timeout=10) as answer:
            return json.loads(answer.read())

    def reset(self) -> None:
        self.control("DELETE", "/dials")
        self.control("POST", "/reset")

    def dial(self, where: str, fault: str, match: str = "", **more: Any) -> None:
        self.control("POST", "/dials", {"where": where, "fault": fault, "match": match, **more})

    def set(self, name: str, value: object) -> None:
        self.control("POST", "/dials", {"set": name, "value": value})

    def undial(self) -> None:
        self.control("DELETE", "/dials")

    def arrange(self, path: str, value: object) -> None:
        self.control("POST", "/world", {"path": path, "value": value})

    def look(self, path: str) -> Any:
        return self.control("GET", "/world?path=" + urllib.parse.quote(path))

    def effects(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self.control("GET", "/ledger"))

    # --- gateways ----------------------------------------------------------------------------
    def route(self, **times: Any) -> Route:
        usual = {"connect_timeout_s": 2.0, "read_timeout_s": 3.0, "deadline_s": 10.0}
        return Route(ca_file=self.addresses["ca"], simulated=True, **(usual | times))

    def cloud(self, **changes: Any) -> Cloud:
        cloud = Cloud(
            key="simulated",
            title="Simulator",
            authority=self.addresses["entra"],
            graph=self.addresses["graph"],
            ews_url="https://outlook.office365.com/EWS/Exchange.asmx",
            metadata_url="https://accounts.accesscontrol.windows.net/metadata/json/1",
            server_table="Global",
            simulated=True,
            ca_file=self.addresses["ca"],
        )
        return replace(cloud, **changes)

    def app(self, name: str = "setup_app") -> EntraApp:
        app = self.addresses[name]
        return EntraApp(AppId(app["client_id"]), secret=app["client_secret"])

    def tokens(self, name: str = "setup_app", tenant: str = "") -> AppTokens:
        return AppTokens(self.cloud(), tenant or self.tenant_id, self.app(name))

    def graph(self, name: str = "setup_app") -> Graph:
        return Graph(self.cloud(), self.tokens(name))

    def account(self, name: str) -> dict[str, str]:
        found = self.addresses
        for part in name.split("/"):
            found = found[part]
        return cast("dict[str, str]", found)

    def dynamics(
        self,
        user: str = "crm_user",
        *,
        organization: str = "ContosoSales",
        password: str = "",
        upn: bool = False,
        times: dict[str, Any] | None = None,
        **target: Any,
    ) -> Dynamics:
        account = self.account(user)
        username = account["upn" if upn else "username"]
        return Dynamics(
            DynamicsTarget(
                f"{self.addresses['crm']}/{organization}", self.route(**(times or {})), **target
            ),
            DynamicsCredential(username, password or account["password"]),
        )

    def server(
        self,
        name: str = TOOLS,
        *,
        user: str = "winrm_user/change",
        sign_in: SignIn | None = None,
        configuration: str = "SssPortal",
        module_sha256: Sha256 | None = None,
        account: AccountSecret | None = None,
        **times: Any,
    ) -> CrmServer:
        place = next(s for s in self.addresses["servers"] if s["name"] == name)
        person = self.account(user)
        return CrmServer(
            name,
            Endpoint(place["host"], place["port"], configuration, self.route(**times)),
            sign_in or PasswordSignIn(person["username"], person["password"]),
            module_sha256=module_sha256,
            account=account,
        )


def order(fence: int = 5, *, operation_id: str = "", epoch: int = 1, job: str = "J-12") -> Order:
    return Order(PORTAL_ID, epoch, fence, OperationId(operation_id or str(uuid.uuid4())), job)
