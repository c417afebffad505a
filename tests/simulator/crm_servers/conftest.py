from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from simulator.crm_servers.accounts import Account
from simulator.crm_servers.default_deployment import default_deployment
from simulator.crm_servers.listener import ServerTls
from simulator.crm_servers.start import RunningServer, server_tls, start_crm_servers
from simulator.deployment import Deployment
from simulator.dials import Dials
from simulator.ledger import Ledger
from simulator.pki import Issued, Pki
from simulator.web.calls import Calls
from tests.simulator.crm_servers.contract_check import check_answer

PASSWORD = "Portal-Sign-In-7"
CHANGE, LOOK, NOBODY = "CONTOSO\\svc-sssportal", "CONTOSO\\svc-ssslook", "CONTOSO\\nina"
ACCOUNTS = [
    Account(CHANGE, PASSWORD, "Change", certificate_name="sssportal@contoso.example"),
    Account(LOOK, PASSWORD, "Look"),
    Account(NOBODY, PASSWORD, "None", certificate_name="nina@contoso.example"),
    Account("CONTOSO\\crmadmin", "Crm-Admin-5", "None"),
]
PORTAL_ID = "7c1b8f0e-3a52-4a6b-9f0d-2f4f6b1c0a11"
TOOLS, ASYNC = "CRM-APP01", "CRM-APP02"


@dataclass(frozen=True)
class Company:
    """What is slow to make and the same in every test: authorities, certificates, TLS."""

    pki: Pki
    now: dt.datetime
    old: Issued
    new: Issued
    tls: ServerTls
    client: Issued
    folder: Path

    @property
    def trust(self) -> str:
        return str(self.folder / "ca.pem")


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    now = dt.datetime.now(dt.UTC)
    pki = Pki.load_or_create(folder / "pki", now=now)
    start, end = now - dt.timedelta(days=20), now + dt.timedelta(days=345)
    host = pki.issue("localhost", start, end, dns_names=["localhost"], addresses=["127.0.0.1"])
    client = pki.issue("sssportal@contoso.example", start, end)
    (folder / "ca.pem").write_bytes(pki.bundle_pem)
    (folder / "client.pem").write_bytes(client.chain_pem)
    (folder / "client-key.pem").write_bytes(client.key_pem)
    return Company(
        pki=pki,
        now=now,
        old=pki.issue("crm.contoso.example", now - dt.timedelta(days=344), now + dt.timedelta(21)),
        new=pki.issue("crm-s2s-2026.contoso.example", start, end),
        tls=server_tls(host, pki.bundle_pem),
        client=client,
        folder=folder,
    )


@dataclass
class World:
    deployment: Deployment
    lock: threading.RLock = field(default_factory=threading.RLock)
    saved: int = 0

    def changed(self) -> None:
        self.saved += 1


class Session:
    """One PowerShell session of one account on one server, by the unmodified pypsrp client."""

    def __init__(self, port: int, account: str, trust: str, **more: Any) -> None:
        settings = {
            "port": port,
            "ssl": True,
            "auth": "negotiate",
            "username": account,
            "password": PASSWORD,
            "cert_validation": trust,
            "operation_timeout": 5,
            "read_timeout": 8,
            "no_proxy": True,
            # pypsrp asks again by itself; in a test that only takes time.
            "reconnection_backoff": 0.01,
            **more,
        }
        configuration = settings.pop("configuration", "SssPortal")
        self.wsman = WSMan("localhost", **settings)
        self.pool = RunspacePool(self.wsman, configuration_name=configuration)
        self.pool.open()

    def close(self) -> None:
        self.pool.close()
        self.wsman.close()

    def start(self, function: str, **parameters: Any) -> PowerShell:
        shell = PowerShell(self.pool)
        shell.add_cmdlet(function)
        for name, value in parameters.items():
            shell.add_parameter(name, value)
        return shell

    def output(self, function: str, **parameters: Any) -> str:
        """The one string that a function writes."""
        shell = self.start(function, **parameters)
        output = shell.invoke()
        assert [str(error) for error in shell.streams.error] == []
        assert len(output) == 1
        assert isinstance(output[0], str)
        return output[0]

    def call(self, function: str, **parameters: Any) -> dict[str, Any]:
        """The envelope, checked against the contract."""
        return check_answer(function, self.output(function, **parameters))

    def result(self, function: str, **parameters: Any) -> dict[str, Any]:
        answer = self.call(function, **parameters)
        assert answer["Error"] is None
        return dict(answer["Result"])

    def refusal(self, function: str, **parameters: Any) -> str:
        """The code of the refusal; it must say that nothing was changed."""
        answer = self.call(function, **parameters)
        assert answer["Error"] is not None
        assert answer["Error"]["Changed"] == "No"
        return str(answer["Error"]["Code"])

    def error(self, function: str, **parameters: Any) -> Any:
        """The PowerShell error record with which the call ends."""
        shell = self.start(function, **parameters)
        assert shell.invoke() == []
        assert shell.had_errors
        return shell.streams.error[0]

    def secret(self, text: str) -> Any:
        self.pool.exchange_keys()
        return self.pool.serialize(text, ObjectMeta("SS"))


@dataclass
class Crm:
    """A deployment with running servers, and everything a test turns or looks at."""

    company: Company
    world: World
    ledger: Ledger
    dials: Dials
    calls: Calls = field(default_factory=Calls)
    servers: dict[str, RunningServer] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    opened: list[Session] = field(default_factory=list)

    @property
    def deployment(self) -> Deployment:
        return self.world.deployment

    def session(self, server: str = TOOLS, account: str = CHANGE) -> Session:
        if (server, account) not in self.sessions:
            self.sessions[server, account] = self.open(server, account)
        return self.sessions[server, account]

    def open(self, server: str = TOOLS, account: str = CHANGE, **more: Any) -> Session:
        """A session of its own; what is left of it is closed with the servers."""
        session = Session(self.servers[server].port, account, self.company.trust, **more)
        self.opened.append(session)
        return session

    def start(self) -> None:
        tls = self.company.tls
        running = start_crm_servers(self, lambda name: tls, ACCOUNTS, calls=self.calls)
        self.servers = {server.name: server for server in running}

    def stop(self) -> None:
        for session in self.opened:
            session.wsman.close()
        self.sessions, self.opened = {}, []
        for server in self.servers.values():
            server.stop()

    def effects(self) -> list[str]:
        return [str(entry["effect"]) for entry in self.ledger.entries()]


@pytest.fixture
def crm(company: Company, tmp_path: Path) -> Iterator[Crm]:
    deployment = default_deployment(
        now=company.now,
        token_certificate=company.old.der,
        trusted_issuers=[company.pki.root.der, company.pki.issuing.der],
        portal_id=PORTAL_ID,
    )
    crm = Crm(company, World(deployment), Ledger(tmp_path / "ledger.jsonl"), Dials())
    crm.start()
    yield crm
    crm.stop()
    crm.ledger.close()


def change(**own: Any) -> dict[str, Any]:
    """Parameters of a change: the five of every change, and its own (which win)."""
    five = {
        "PortalId": PORTAL_ID,
        "Epoch": 1,
        "Fence": 5,
        "OperationId": str(uuid.uuid4()),
        "Job": "J-4711",
    }
    return five | own
