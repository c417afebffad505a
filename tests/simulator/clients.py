"""Clients of the simulated systems: msal, requests, NTLM, PowerShell remoting."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import msal
import requests
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests_ntlm import HttpNtlmAuth

from tests.simulator_process import SimulatorProcess

CRM_APP_ID = "00000007-0000-0000-c000-000000000000"
SALES, SERVICE = "ContosoSales", "ContosoService"
TENANT = "tenants/0"
PRINCIPAL = f"{TENANT}/principals/0"
EWS_URL = "https://outlook.office365.com/EWS/Exchange.asmx"


class Clients:
    """Whatever a test needs to talk to the simulator as its users do."""

    def __init__(self, sim: SimulatorProcess) -> None:
        self.sim, self.at = sim, sim.addresses
        self._sessions: list[requests.Session] = []

    def close(self) -> None:
        for session in self._sessions:
            session.close()

    def http(self) -> requests.Session:
        """A plain session that trusts the simulator and nothing of the machine's environment."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.at["ca"])
        self._sessions.append(session)
        return session

    def application(
        self, name: str = "setup_app", credential: Any = None, authority: str = ""
    ) -> msal.ConfidentialClientApplication:
        """msal for one of the apps of addresses.json; by its secret unless a credential is given."""
        app = self.at[name]
        return msal.ConfidentialClientApplication(
            app["client_id"],
            client_credential=credential or app["client_secret"],
            authority=authority or f"{self.at['entra']}/{app['tenant_id']}",
            instance_discovery=False,
            http_client=self.http(),
        )

    def certificate_credential(self) -> dict[str, str]:
        app = self.at["setup_app"]
        return {
            "private_key": Path(app["key"]).read_text(encoding="utf-8"),
            "public_certificate": Path(app["certificate"]).read_text(encoding="utf-8"),
        }

    def token(self, name: str = "setup_app", credential: Any = None) -> dict[str, Any]:
        """msal's answer to a request for a Graph token."""
        scopes = [f"{self.at['graph']}/.default"]
        found: dict[str, Any] = self.application(name, credential).acquire_token_for_client(scopes)
        return found

    def graph(self, name: str = "setup_app") -> Graph:
        return Graph(self, self.token(name)["access_token"])

    def crm(self, organization: str = SALES, user: str = "crm_user") -> Crm:
        """The Web API by NTLM."""
        session = self.http()
        session.auth = HttpNtlmAuth(self.at[user]["username"], self.at[user]["password"])
        return Crm(self, session, organization)

    def remote(self, server: str, function: str, **parameters: Any) -> dict[str, Any]:
        """One function of the SssPortal endpoint, as a change user; the Result."""
        port = next(s["port"] for s in self.at["servers"] if s["name"] == server)
        user = self.at["winrm_user"]["change"]
        with (
            WSMan(
                "localhost",
                port=port,
                ssl=True,
                auth="negotiate",
                username=user["username"],
                password=user["password"],
                cert_validation=str(self.at["ca"]),  # type: ignore[arg-type]  # a path is fine
                no_proxy=True,
            ) as wsman,
            RunspacePool(wsman, configuration_name="SssPortal") as pool,
        ):
            shell = PowerShell(pool)
            shell.add_cmdlet(function)
            for name, value in parameters.items():
                shell.add_parameter(name, value)
            answer = json.loads(shell.invoke()[0])
        assert answer["Error"] is None, answer
        return dict(answer["Result"])

    def change(self, server: str, function: str, **parameters: Any) -> dict[str, Any]:
        """A changing function with the five parameters of every change."""
        five = {
            "PortalId": "7c1b8f0e-3a52-4a6b-9f0d-2f4f6b1c0a11",
            "Epoch": 1,
            "Fence": 5,
            "OperationId": str(uuid.uuid4()),
            "Job": "J-1",
        }
        return self.remote(server, function, **five, **parameters)


class Graph:
    """Microsoft Graph with a token."""

    def __init__(self, clients: Clients, token: str) -> None:
        self.root = f"{clients.at['graph']}/v1.0"
        self.session = clients.http()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.root + path, timeout=20, **options)

    def principal(self, select: str = "id,keyCredentials,servicePrincipalNames") -> dict[str, Any]:
        found: dict[str, Any] = self.get(
            f"/servicePrincipals(appId='{CRM_APP_ID}')?$select={select}"
        ).json()
        return found

    def patch(self, body: dict[str, Any], **options: Any) -> requests.Response:
        """PATCH CRM's principal."""
        address = f"{self.root}/servicePrincipals(appId='{CRM_APP_ID}')"
        return self.session.patch(address, json=body, **{"timeout": 20, **options})


class Crm:
    """The Web API of one organization."""

    def __init__(self, clients: Clients, session: requests.Session, organization: str) -> None:
        self.session, self.organization = session, organization
        self.root = f"{clients.at['crm']}/{organization}/api/data/v9.1"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Accept": "application/json", "OData-Version": "4.0"}
        headers |= options.pop("headers", {})
        options.setdefault("timeout", 20)
        return self.session.request(method, f"{self.root}/{path}", headers=headers, **options)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.request("GET", path, headers=headers)

    def rows(self, path: str) -> list[dict[str, Any]]:
        response = self.get(path)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["value"]
        return found

    def patch(self, path: str, body: dict[str, Any], etag: str = "*") -> requests.Response:
        headers = {"If-Match": etag} if etag else {}
        return self.request("PATCH", path, json=body, headers=headers)

    def pilot(self) -> str:
        """Id of the pilot mailbox."""
        rows = self.rows("mailboxes?$select=name&$filter=name eq 'SSS Pilot'")
        return str(rows[0]["mailboxid"])

    def create_profile(self, **more: Any) -> str:
        """An active Exchange Online (Hybrid) profile; its id."""
        body = {"name": "Exchange Online", "servertype": 3, "incomingserverlocation": EWS_URL}
        response = self.request("POST", "emailserverprofiles", json=body | more)
        assert response.status_code == 204, response.text
        return response.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def configure(self, mailbox: str, profile: str) -> None:
        """Profile and methods of a mailbox."""
        body = {
            "emailserverprofile@odata.bind": f"/emailserverprofiles({profile})",
            "incomingemaildeliverymethod": 2,
            "outgoingemaildeliverymethod": 2,
            "actdeliverymethod": 1,
        }
        assert self.patch(f"mailboxes({mailbox})", body).status_code == 204
