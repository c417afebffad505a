"""One call of a contract function: who asks, with which values, on which state."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast

from simulator.crm_servers.accounts import Caller
from simulator.crm_servers.answers import Json
from simulator.crm_servers.machine import Machine
from simulator.crm_servers.parameters import Parameter
from simulator.crm_servers.pipelines import Pipeline
from simulator.crm_servers.strike import CONTRACT_DIALS
from simulator.deployment import Deployment, Operation, Server
from simulator.dials import BadDial
from simulator.ledger import instant

T = TypeVar("T")


@dataclass
class Call:
    """Handed to every function.

    ``deployment`` is the state to look at and to change: the world's own, an older one for a stale
    read, or a copy that is thrown away for a silent failure. Hold the world's lock around both.
    """

    machine: Machine
    pipeline: Pipeline
    caller: Caller
    function: str
    values: dict[str, object]
    deployment: Deployment
    dial: str = ""
    is_silent: bool = False
    operation: Operation | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return self.deployment.server(self.machine.name)

    def text(self, name: str) -> str:
        """A bound text, '' where it was not given."""
        return cast(str, self.values[name] or "")

    def number(self, name: str) -> int:
        return cast(int, self.values[name])

    def flag(self, name: str) -> bool:
        return bool(self.values[name])

    def texts(self, name: str) -> list[str]:
        return cast("list[str]", self.values[name] or [])

    def is_dialled(self, name: str) -> bool:
        """Whether one of the contract's own dials is turned, for this call or standing.

        :raises BadDial: there is no such dial.
        """
        if name not in CONTRACT_DIALS:
            raise BadDial(f"no dial {name!r}")
        return self.dial == name or self.setting(name, False)

    def setting(self, name: str, default: T) -> T:
        """A dial setting of this server (``winrm:CRM-APP01/name``), else of all (``winrm/name``)."""
        everywhere = self.machine.dials.setting(f"winrm/{name}", default)
        return self.machine.dials.setting(f"{self.machine.where}/{name}", everywhere)

    def effect(
        self,
        effect: str,
        target: str,
        before: object,
        change: Callable[[], object],
        *,
        is_setting: bool = True,
    ) -> None:
        """Make a change of state and record it. Hold the world's lock.

        :param change: changes ``deployment`` and returns what is true afterwards, as JSON.
        :param is_setting: it counts for LastChangeUtc. A restart does not: no restart could ever be
            newer than the last change.
        """
        before = copy.deepcopy(before)
        if self.is_silent:
            change()
            return
        self.machine.remember()
        after = change()
        if is_setting:
            self.server.last_change = instant(self.machine.now())
        if not self.setting("settings_cached", True):
            self._load_everywhere()
        operation = self.operation
        self.machine.ledger.record(
            self.machine.where,
            effect,
            target,
            self.caller.account,
            before,
            after,
            function=self.function,
            operation_id=operation.operation_id if operation else None,
            job=self.text("Job"),
            portal_id=self.text("PortalId"),
            epoch=self.number("Epoch"),
            fence=self.number("Fence"),
        )
        self.machine.world.changed()

    def _load_everywhere(self) -> None:
        for server in self.deployment.servers:
            for service in server.services + server.app_pools:
                service.loaded = self.deployment.snapshot()


@dataclass(frozen=True)
class Outcome:
    """What a changing function did; ``restorable`` is what -RestoreOperationId writes back."""

    changed: bool
    before: Json
    after: Json
    restorable: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A function that reads; ``run`` returns the Result and is called under the world's lock."""

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Call], Json]


@dataclass(frozen=True)
class Change:
    """A function that changes; ``parameters`` without the five that every change has.

    ``secrets`` names the parameters that no record and no parameter hash may hold;
    ``default_set`` is the parameter set that is meant where no parameter decides.
    """

    name: str
    resource: Literal["server", "deployment"]
    parameters: tuple[Parameter, ...]
    run: Callable[[Call], Outcome]
    secrets: frozenset[str] = frozenset()
    default_set: str = ""
