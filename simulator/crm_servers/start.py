"""Start the CRM servers of a world, each with a listener of its own."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from simulator.crm_servers.accounts import Account, Accounts
from simulator.crm_servers.listener import Listener, ServerTls
from simulator.crm_servers.machine import Machine, Simulation
from simulator.crm_servers.message_record import MessageRecord
from simulator.pki import Issued
from simulator.web.calls import Calls


class RunningServer:
    """One CRM server that answers WinRM over HTTPS on a port of the loopback interface.

    While a ``refused`` dial stands for ``winrm:NAME`` nothing listens on the port.
    """

    def __init__(self, machine: Machine, port: int, tls: ServerTls) -> None:
        self.name, self.machine, self._tls = machine.name, machine, tls
        self._lock = threading.Lock()
        self._listener: Listener | None = self._listen(port)
        self.port: int = self._listener.server_address[1]
        machine.dials.on_change(self._follow_dials)
        self._follow_dials()

    def stop(self) -> None:
        """Stop listening and let go of every client."""
        self.machine.stop()
        with self._lock:
            self._close()

    def _follow_dials(self) -> None:
        with self._lock:
            if self.machine.is_stopping:
                return
            if self.machine.dials.is_refused(self.machine.where):
                self._close()
            elif self._listener is None:
                self._listener = self._listen(self.port)

    def _listen(self, port: int) -> Listener:
        listener = Listener(port, self.machine, self._tls)
        name = f"winrm-{self.name}"
        run = listener.serve_forever
        threading.Thread(target=run, args=(0.05,), name=name, daemon=True).start()
        return listener

    def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()
            listener.cut()


def start_crm_servers(
    simulation: Simulation,
    tls_for: Callable[[str], ServerTls],
    accounts: Sequence[Account],
    ports: Mapping[str, int] | None = None,
    calls: Calls | None = None,
    messages: MessageRecord | None = None,
) -> list[RunningServer]:
    """Start a listener for every server of the deployment.

    :param tls_for: the TLS side of a server, by its name.
    :param accounts: who may sign in (Negotiate, or a client certificate mapped to the account).
    :param ports: fixed ports by server name; 0 or absent: any free one.
    :param calls: the list to which every command is added (method INVOKE, path = its name).
    :param messages: the record to which everything sent and received is added, secrets included.
    """
    known, list_of_calls = Accounts(accounts), calls or Calls()
    with simulation.world.lock:
        names = [server.name for server in simulation.world.deployment.servers]
    return [
        RunningServer(
            Machine(name, simulation, known, list_of_calls, messages),
            (ports or {}).get(name, 0),
            tls_for(name),
        )
        for name in names
    ]


def server_tls(issued: Issued, client_authorities_pem: bytes = b"") -> ServerTls:
    """The TLS side of a server with this certificate.

    :param client_authorities_pem: authorities whose client certificates may sign in; empty: none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        chain, key = folder / "chain.pem", folder / "key.pem"
        key.touch(mode=0o600)
        chain.write_bytes(issued.chain_pem)
        key.write_bytes(issued.key_pem)
        context.load_cert_chain(chain, key)
    if client_authorities_pem:
        context.load_verify_locations(cadata=client_authorities_pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
    return ServerTls(context, issued.der)
