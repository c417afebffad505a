"""PowerShell remoting to one JEA endpoint: commands and parameters only, never script text.

:source: MS-PSRP, MS-WSMV; pypsrp, which speaks them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from pypsrp.complex_objects import ObjectMeta, PSCredential, PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from sync_setup.gateways.failures import Origin, garbled
from sync_setup.gateways.remoting_failures import (
    LIBRARY_ERRORS,
    from_library,
    from_power_shell,
)
from sync_setup.gateways.remoting_sign_in import SignIn, build_session
from sync_setup.gateways.route import Route, check_host
from sync_setup.gateways.wire import BoundedSession, Departure, OutOfTime

# An abandoned session must not hold one of the account's places for Windows' default of two hours.
_IDLE_S = 300


@dataclass(frozen=True)
class Secret:
    """Text that travels as a SecureString, encrypted with the session's own key."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class AccountSecret:
    """An account that travels as a PSCredential."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Long:
    """A number that travels as [long], however small it is."""

    value: int


Parameter = str | int | bool | bytes | Secret | AccountSecret | Long | tuple[str, ...]


@dataclass(frozen=True)
class Endpoint:
    """Where a JEA endpoint is.

    :ivar host: name or address; with Kerberos the server's own full name.
    """

    host: str
    port: int = 5986
    configuration: str = "SssPortal"
    route: Route = field(default_factory=Route)


class RemoteSession:
    """One session with an endpoint, opened by the first call and again after a failure.

    Used by one thread at a time. A call that was not answered leaves its command running on the
    server on purpose: stopping it there could leave half a change.
    """

    def __init__(self, origin: Origin, endpoint: Endpoint, sign_in: SignIn) -> None:
        check_host(endpoint.host, simulated=endpoint.route.simulated)
        self._origin, self._endpoint, self._sign_in = origin, endpoint, sign_in
        self._departure = Departure()
        self._wire: _Wire | None = None
        self._pool: RunspacePool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether a session stands; the next call opens one otherwise."""
        return self._pool is not None

    def open(self) -> None:
        """Open the session if there is none.

        :raises Unreachable: with ``sent`` False: nothing was asked of the endpoint yet.
        :raises Refused: the sign-in is not accepted, or the account may not use this endpoint.
        :raises Missing: the server has no endpoint of this name.
        :raises Throttled: the account has too many sessions there.
        """
        if self._pool is not None:
            return
        with self._translated(lambda _: False):
            wire = self._wire = _Wire(self._endpoint, self._departure)
            wire.transport.session = wire.session = build_session(
                self._origin, self._endpoint.route, self._departure, self._sign_in
            )
            wire.set_deadline(self._endpoint.route.deadline_s)
            pool = RunspacePool(
                wire, configuration_name=self._endpoint.configuration, idle_timeout=_IDLE_S
            )
            pool.open()
            self._pool = pool

    def commands(self) -> frozenset[str]:
        """Names of the commands that the session shows.

        :raises GatewayError: as `open` and `call`.
        """
        written = self._run("Get-Command", {}, self._endpoint.route.deadline_s)
        names = (_name_of(item) for item in written)
        return frozenset(name for name in names if name)

    def call(
        self, function: str, parameters: Mapping[str, Parameter], deadline_s: float | None = None
    ) -> str:
        """Run one function and give the one string that it writes.

        :param deadline_s: longest time for the whole call; the route's own if None.
        :raises Unreachable: no answer; ``sent`` tells whether the function may have run.
        :raises Rejected: PowerShell could not bind a parameter; the function did not run.
        :raises Garbled: it wrote something else than one string.
        """
        written = self._run(function, parameters, deadline_s or self._endpoint.route.deadline_s)
        if len(written) != 1 or not isinstance(written[0], str):
            raise garbled(self._origin, f"{function} wrote {len(written)} values, not one string")
        return written[0]

    def close(self) -> None:
        """End the session; what goes wrong then changes nothing and is not told."""
        pool, wire = self._pool, self._wire
        self._pool = self._wire = None
        if pool is not None and wire is not None:
            wire.set_deadline(min(5.0, self._endpoint.route.deadline_s))
            with contextlib.suppress(*LIBRARY_ERRORS):
                pool.close()
        if wire is not None:
            wire.close()

    def _run(
        self, command: str, parameters: Mapping[str, Parameter], deadline_s: float
    ) -> list[object]:
        self.open()
        pool, wire = self._pool, self._wire
        if pool is None or wire is None:
            raise RuntimeError("the session is open here")
        shell: list[PowerShell] = []
        with self._translated(lambda error: bool(shell) and self._may_run(shell[0], error)):
            wire.set_deadline(deadline_s)
            values = {name: _packed(pool, value) for name, value in parameters.items()}
            shell.append(PowerShell(pool))
            shell[0].add_cmdlet(command).add_parameters(values)
            self._departure.begin()
            output = shell[0].invoke()
        if errors := shell[0].streams.error:
            raise from_power_shell(self._origin, command, errors[0], ended=_ended(shell[0]))
        return list(output)

    def _may_run(self, shell: PowerShell, error: Exception) -> bool:
        """Whether the command may have run: from the moment its first message may have left."""
        if shell.state != PSInvocationState.NOT_STARTED:
            return True
        # A fault as the answer to that first message means that it was not taken.
        return self._departure.sent and not isinstance(error, WSManFaultError)

    @contextlib.contextmanager
    def _translated(self, sent: Callable[[Exception], bool]) -> Iterator[None]:
        """Errors of the libraries become errors of the portal, and the session is given up."""
        self._departure.begin()
        try:
            yield
        except LIBRARY_ERRORS as error:
            failed = from_library(
                self._origin, error, sent=sent(error), forbidden=self._departure.forbidden
            )
            self._abandon()
            raise failed from error

    def _abandon(self) -> None:
        wire, self._wire, self._pool = self._wire, None, None
        if wire is not None:
            wire.close()


class _Wire(WSMan):
    """WSMan within a deadline, and without pypsrp's own repetitions."""

    def __init__(self, endpoint: Endpoint, departure: Departure) -> None:
        route = endpoint.route
        # The server answers a long poll before our patience for one answer ends.
        poll_s = max(1, min(20, int(route.read_timeout_s * 2 / 3)))
        super().__init__(
            endpoint.host,
            port=endpoint.port,
            ssl=True,
            operation_timeout=poll_s,
            connection_timeout=route.connect_timeout_s,  # type: ignore[arg-type]
            read_timeout=route.read_timeout_s,  # type: ignore[arg-type]
        )
        self.session: BoundedSession | None = None

    def set_deadline(self, seconds: float) -> None:
        """All that follows must be over in this time."""
        if self.session is not None:
            self.session.ends_at = time.monotonic() + seconds

    def invoke(self, *args: Any, retries_on_read_timeout: int = 0, **kwargs: Any) -> Any:
        if self.session is None or time.monotonic() > self.session.ends_at:
            raise OutOfTime
        return super().invoke(*args, **kwargs, retries_on_read_timeout=0)


def _packed(pool: RunspacePool, value: Parameter) -> object:
    if isinstance(value, Secret):
        pool.exchange_keys()
        return pool.serialize(value.text, ObjectMeta("SS"))
    if isinstance(value, AccountSecret):
        pool.exchange_keys()
        return PSCredential(username=value.username, password=value.password)  # type: ignore[no-untyped-call]
    if isinstance(value, Long):
        return pool.serialize(value.value, ObjectMeta("I64"))
    return list(value) if isinstance(value, tuple) else value


def _ended(shell: PowerShell) -> str:
    return {PSInvocationState.STOPPED: "stopped"}.get(shell.state, "failed")


def _name_of(item: object) -> str:
    """The name of a command: a property of what Get-Command writes, or the text itself."""
    if isinstance(item, str):
        return item
    for properties in ("adapted_properties", "extended_properties"):
        name = (getattr(item, properties, None) or {}).get("Name")
        if isinstance(name, str):
            return name
    return str(item)
