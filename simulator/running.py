"""One running simulator: everything made, started, reset and stopped here."""

from __future__ import annotations

import datetime
from pathlib import Path

from simulator.adfs.system import Adfs
from simulator.browser_pages import BrowserPages
from simulator.control import Control
from simulator.crm_servers.message_record import MessageRecord
from simulator.crm_servers.start import RunningServer, server_tls, start_crm_servers
from simulator.default_world import SEED, Certificates, default_world
from simulator.dials import Dials
from simulator.dynamics.mailbox_tests import MailboxTests
from simulator.dynamics.system import Dynamics
from simulator.entra.grants import Grants
from simulator.entra.system import Entra
from simulator.graph.system import Graph
from simulator.ledger import Ledger
from simulator.pki import Pki
from simulator.places import FIRST_SERVER_OFFSET, port_of
from simulator.secret_source import SecretSource
from simulator.simulation import Simulation
from simulator.state import Store, World
from simulator.tls import Kept, load_or_issue
from simulator.tokens import TokenKey
from simulator.web.calls import Calls
from simulator.web.listener import Listener
from simulator.web.message import System


class Simulator:
    """All simulated systems over one world kept in a folder.

    :param base_port: first of a fixed row of ports; 0: any free ones.
    :param has_control: whether the control API listens.
    :param reset: forget the world kept in the folder.
    :param seed: of a new world; a kept one stays as it is.
    :param wsman_file: takes what the CRM servers are sent and answer, secrets included; None: nothing does.
    """

    def __init__(
        self,
        folder: Path,
        base_port: int,
        has_control: bool,
        dials: Dials,
        reset: bool,
        seed: int = SEED,
        wsman_file: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._base_port, self._dials = folder, base_port, dials
        self._seed = seed
        self._messages = MessageRecord(wsman_file) if wsman_file else None
        self._store = Store(folder)
        self.pki = Pki.load_or_create(folder / "pki")
        self.setup_certificate = self._issue("setup-app", "sss-portal-setup", rsa_key=True)
        self.server_certificate = self._issue(
            "server", "localhost", dns_names=["localhost", "crm-app01", "crm-app02"]
        )
        self._secrets = SecretSource(folder / "pki" / "secrets")
        self._certificates: Certificates | None = None
        self.calls, self._grants = Calls(), Grants()
        ledger = Ledger(folder / "ledger.jsonl")
        if reset:
            self._store.clear()
            ledger.clear()
        self.simulation = Simulation(
            self._store.load() or self._fresh_world(),
            ledger,
            dials,
            TokenKey.load_or_create(folder / "pki" / "entra-key.pem"),
            TokenKey.load_or_create(folder / "pki" / "adfs-key.pem"),
            self.calls,
        )
        self._tests = MailboxTests(self.simulation)
        self._graph = Graph(self.simulation)
        self._listeners = self._make_listeners(has_control)
        self.crm_servers: list[RunningServer] = []

    @property
    def world(self) -> World:
        return self.simulation.world

    def start(self) -> None:
        """Keep the world from now on and answer on every port."""
        self._store.keep(self.world)
        for listener in self._listeners:
            listener.start()
        names = [server.name for server in self.world.deployment.servers]
        first = self._base_port + FIRST_SERVER_OFFSET if self._base_port else 0
        tls = server_tls(self.server_certificate.issued, self.pki.bundle_pem)
        self.crm_servers = start_crm_servers(
            self.simulation,
            lambda name: tls,
            self.world.accounts,
            {name: first + place if first else 0 for place, name in enumerate(names)},
            self.calls,
            self._messages,
        )
        self._tests.start()

    def stop(self) -> None:
        """Stop answering and save."""
        for server in self.crm_servers:
            server.stop()
        for listener in self._listeners:
            listener.stop()
        self._tests.stop()
        self._store.close()
        self.simulation.ledger.close()

    def reset(self) -> None:
        """A fresh world, an empty ledger and list of calls, the dials of the start.

        Certificates, secrets and passwords are those of the start, so that whoever has read them from
        ``addresses.json`` may go on.
        """
        for server in self.crm_servers:
            server.machine.settle()
        old = self.world
        with old.lock:
            new = self._fresh_world()
            new.lock = old.lock
            old.on_change = lambda whole: None
            self.simulation.world = new
            self.simulation.ledger.clear()
            self._graph.forget()
            self._grants.clear()
            self.calls.clear()
            self._store.clear()
            self._store.keep(new)
        self._dials.clear()
        self._tests.resume()

    def certificate_of(self, account: str) -> Kept:
        """The client certificate that is mapped to a Windows account with this certificate name."""
        return self._issue(account.partition("@")[0], account)

    def _fresh_world(self) -> World:
        now = datetime.datetime.now(datetime.UTC)
        if self._certificates is None:
            setup = self.setup_certificate.issued
            self._certificates = Certificates.issue(now, self.pki, setup)
        secret_of = self._secrets.secret_of
        return default_world(now, self.pki, self._certificates, secret_of, self._seed)

    def _issue(
        self,
        name: str,
        common_name: str,
        *,
        rsa_key: bool = False,
        dns_names: list[str] | None = None,
    ) -> Kept:
        folder = self.folder / "pki"
        return load_or_issue(
            folder, name, common_name, self.pki, dns_names=dns_names or [], rsa_key=rsa_key
        )

    def _make_listeners(self, has_control: bool) -> list[Listener]:
        simulation, tls = self.simulation, self.server_certificate.server_context()
        secured: dict[str, System] = {
            "entra": Entra(simulation, self._grants),
            "graph": self._graph,
            "adfs2019": Adfs(simulation, self._grants, "2019"),
            "adfs2016": Adfs(simulation, self._grants, "2016"),
            "crm": Dynamics(simulation, self._tests, self.server_certificate.digest),
        }
        plain: dict[str, System] = {"authorize": BrowserPages(simulation, self._grants)}
        if has_control:
            plain["control"] = Control(simulation, self.reset)
        listeners = []
        for name, system in {**secured, **plain}.items():
            listener = Listener(
                name,
                system,
                port=port_of(self._base_port, name),
                tls=tls if name in secured else None,
                dials=self._dials,
                calls=self.calls,
            )
            scheme = "https" if name in secured else "http"
            setattr(simulation.places, name, f"{scheme}://localhost:{listener.port}")
            listeners.append(listener)
        return listeners
