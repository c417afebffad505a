"""The SssPortal endpoint of one CRM server: proved to be the contract's before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from portal.errors import Garbled, Refused, Unreachable
from sync_setup.gateways.contract import CONTRACT_VERSION, Server
from sync_setup.gateways.contract_reading import (
    Envelope,
    OffContract,
    OtherContract,
    read_envelope,
    read_one,
)
from sync_setup.gateways.crm_failures import refusal
from sync_setup.gateways.failures import Origin, garbled
from sync_setup.gateways.identifiers import Sha256
from sync_setup.gateways.remoting import Endpoint, Parameter, RemoteSession
from sync_setup.gateways.remoting_sign_in import SignIn

T = TypeVar("T")

LOOK_FUNCTIONS = frozenset(
    {
        "Get-SssServer",
        "Get-SssCertificate",
        "Get-SssDeployment",
        "Test-SssEgress",
        "Get-SssOperation",
    }
)
CHANGE_FUNCTIONS = frozenset(
    {
        "Install-SssCertificate",
        "Set-SssKeyReader",
        "Set-SssCertificateState",
        "Set-SssTokenIssuer",
        "Set-SssAuthorizationServer",
        "Set-SssOrganizationTenant",
        "Restart-SssService",
        "Clear-SssTransferFile",
    }
)
# https://learn.microsoft.com/powershell/scripting/security/remoting/jea/session-configurations:
# what SessionType RestrictedRemoteServer shows, and its aliases.
RESTRICTED_COMMANDS = frozenset(
    {
        "Clear-Host",
        "Exit-PSSession",
        "Get-Command",
        "Get-FormatData",
        "Get-Help",
        "Measure-Object",
        "Out-Default",
        "Select-Object",
    }
)
# GUESS: Get-Command may list the aliases of those functions as well.
_ALIASES = frozenset({"clear", "cls", "exsn", "gcm", "measure", "select"})
_INSTALL = (
    "Install version {} of the SssPortal module on this server again (Install-SssPortal.ps1), and "
    "make sure that nothing else was added to its role capabilities."
)


@dataclass(frozen=True)
class ServerClock:
    """What a server's clock said, and between which instants of this machine's clock it said so."""

    said: datetime
    asked_at: datetime
    answered_at: datetime

    @property
    def ahead_s(self) -> float:
        """How far it is ahead of this machine, at the least; negative: behind; 0 where it fits in."""
        if self.said > self.answered_at:
            return (self.said - self.answered_at).total_seconds()
        return min(0.0, (self.said - self.asked_at).total_seconds())


class CrmEndpoint:
    """Calls of contract functions on one server.

    Each session is proved once: the commands it shows are exactly the contract's (look-only, or
    all) with the default ones, the contract version is ours, the module is the pinned one.

    :param name: of the server, for messages.
    :param module_sha256: hash of the module that the plan pinned; None: any.
    :ivar last_clock: the server's clock with its last answer.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        sign_in: SignIn,
        module_sha256: Sha256 | None = None,
    ) -> None:
        self.origin = Origin(f"CRM server {name}", "WINRM")
        self._session = RemoteSession(self.origin, endpoint, sign_in)
        self._module_sha256 = module_sha256
        self._shown: frozenset[str] = frozenset()
        self._is_proved = False
        self.last_clock: ServerClock | None = None

    def connect(self) -> Server:
        """Open a session, prove the endpoint, and give what the server says of itself.

        :raises Refused: SSS-WINRM-COMMANDS, -CONTRACT or -MODULE: not the endpoint it should be.
        :raises GatewayError: as `RemoteSession.open`.
        """
        self._is_proved = False
        self._session.open()
        self._shown = self._proved_commands()
        server = self._read("Get-SssServer", {}, lambda result: read_one(Server, "Server", result))
        if self._module_sha256 not in (None, server.module_sha256):
            raise self._unfit(
                "MODULE", f"has another SssPortal module ({server.module_version}) than planned"
            )
        self._is_proved = True
        return server

    @property
    def can_change(self) -> bool:
        """Whether the account holds the change role; known once connected."""
        return self._shown >= CHANGE_FUNCTIONS

    def ask(
        self,
        function: str,
        parameters: Mapping[str, Parameter],
        reader: Callable[[Mapping[str, object]], T],
        deadline_s: float | None = None,
    ) -> T:
        """Run a contract function and read its Result.

        :raises Refused: also when the session shows only the look functions (SSS-WINRM-LOOK-ONLY).
        :raises GatewayError: the contract's refusals (see `crm_failures`) and those of remoting.
        """
        if not self._is_proved or not self._session.is_open:
            self.connect()
        if function not in self._shown:
            raise Refused(
                f"{self.origin.system} lets this account look, not change.",
                remedy="Add the account to the group of the role SssPortal.Change on this server.",
                code=self.origin.code("LOOK-ONLY"),
                system=self.origin.system,
                detail={"function": function},
            )
        try:
            return self._read(function, parameters, reader, deadline_s)
        except Unreachable as error:
            # An idle session ends on the server's side. Nothing ran, so ask again in a new one.
            if error.sent or error.code != self.origin.code("SESSION-LOST"):
                raise
        self.connect()
        return self._read(function, parameters, reader, deadline_s)

    def close(self) -> None:
        """End the session."""
        self._is_proved = False
        self._session.close()

    def _read(
        self,
        function: str,
        parameters: Mapping[str, Parameter],
        reader: Callable[[Mapping[str, object]], T],
        deadline_s: float | None = None,
    ) -> T:
        asked_at = datetime.now(UTC)
        text = self._session.call(function, parameters, deadline_s)
        answered_at = datetime.now(UTC)
        try:
            envelope = read_envelope(text, function)
            self.last_clock = ServerClock(envelope.server_time, asked_at, answered_at)
            if envelope.error is not None:
                raise refusal(self.origin, function, envelope.error)
            return reader(_result(envelope))
        except OtherContract as error:
            raise self._unfit("CONTRACT", f"speaks {error}") from error
        except OffContract as error:
            raise self._off_contract(function, error) from error

    def _proved_commands(self) -> frozenset[str]:
        own, complaint = judge_commands(self._session.commands())
        if complaint:
            raise self._unfit("COMMANDS", complaint)
        return own

    def _unfit(self, ending: str, what: str) -> Refused:
        self.close()
        return Refused(
            f"The SssPortal endpoint of {self.origin.system} {what}.",
            remedy=_INSTALL.format(CONTRACT_VERSION),
            code=self.origin.code(ending),
            system=self.origin.system,
        )

    def _off_contract(self, function: str, error: OffContract) -> Garbled:
        return garbled(self.origin, str(error), {"function": function})


def judge_commands(shown: frozenset[str]) -> tuple[frozenset[str], str]:
    """Compare the commands that a session shows with the contract's.

    :return: the contract's functions among them, and what is wrong; nothing if the text is empty.
    """
    own = shown - RESTRICTED_COMMANDS - _ALIASES
    if own in (LOOK_FUNCTIONS, LOOK_FUNCTIONS | CHANGE_FUNCTIONS):
        return own, ""
    if foreign := sorted(own - LOOK_FUNCTIONS - CHANGE_FUNCTIONS):
        return own, f"shows commands that are not the contract's: {', '.join(foreign[:5])}"
    wanted = LOOK_FUNCTIONS | (CHANGE_FUNCTIONS if own & CHANGE_FUNCTIONS else frozenset())
    return own, f"lacks commands of the contract: {', '.join(sorted(wanted - own)[:5])}"


def _result(envelope: Envelope) -> Mapping[str, object]:
    if envelope.result is None:
        raise OffContract("Result is missing")
    return envelope.result
