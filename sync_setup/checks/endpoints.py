"""The SssPortal endpoint of every CRM server: reachable, the contract's, and with the right to change."""

from __future__ import annotations

import time
from collections.abc import Mapping

from portal.errors import PortalError
from portal.jobs.checks import Found
from portal.jobs.claim import database_clock
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed, sentence
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import SERVERS, SetupCheck

# A server answered, and what answered is not the endpoint it should be.
_UNFIT = (
    "COMMANDS",
    "CONTRACT",
    "MODULE",
    "ContractMismatch",
    "NotElevated",
    "Not64Bit",
    "GARBLED",
)
FINE_S, WRONG_S = 5.0, 60.0


class ServersReachable(SetupCheck):
    """Every registered server answers at its WinRM address and lets the portal's account in."""

    key = "servers-reachable"
    title = "Every CRM server answers"
    group = SERVERS
    source = sources.JEA_SESSIONS

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        for server in seen.servers:
            where = f"{server.host}:{server.port}"
            error = seen.failure_of(server)
            if error is not None and not _is_unfit(error):
                findings.evidence[server.name] = f"{where}: {error.code}"
                findings.block(error.message.rstrip("."), *error.remedy.splitlines())
            else:
                findings.evidence[server.name] = f"{where} answers"
        return findings.found(f"{listed([row.name for row in seen.servers])} answer.")


class Endpoint(SetupCheck):
    """What answers is the SssPortal endpoint of this contract, the same module on every server."""

    key = "endpoint"
    title = "The endpoint on every server is the expected one"
    group = SERVERS
    source = sources.JEA_SECURITY

    def judge(self, seen: Readings) -> Found:
        findings, modules = Findings(), set()
        unasked: PortalError | None = None
        for server in seen.servers:
            error = seen.failure_of(server)
            if error is None:
                facts = seen.server(server)
                modules.add(facts.module_sha256)
                findings.evidence[server.name] = (
                    f"SssPortal {facts.module_version} {facts.module_sha256[:16]}, "
                    f"runs as {facts.run_as_identity} ({facts.run_as_kind})"
                )
            elif _is_unfit(error):
                findings.evidence[server.name] = error.code
                findings.block(error.message.rstrip("."), *error.remedy.splitlines())
            else:
                unasked = error
        if len(modules) > 1:
            findings.block(
                "the servers do not have the same SssPortal module",
                "Install the same release of the module on every server (Install-SssPortal.ps1).",
            )
        unpinned = [server.name for server in seen.servers if not server.module_sha256]
        if unpinned:
            findings.warn(
                f"no hash of the module is registered for {listed(unpinned)}, so that a changed "
                "module would not be noticed",
                "Compare the hash with that of the release, and register it with the server.",
            )
        if unasked is not None and not modules:
            raise unasked
        return findings.found("Every server has the registered module.")


class ChangeRole(SetupCheck):
    """The portal's account may change on every server, not only look; looking is the default install."""

    key = "change-role"
    title = "The portal may change on every server"
    group = SERVERS
    source = sources.JEA_SESSIONS

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        account = seen.context.deployment.winrm_username or "the portal's account"
        for server in seen.servers:
            seen.server(server)
            may = seen.context.server(server).can_change
            findings.evidence[server.name] = "look and change" if may else "look only"
            if not may:
                findings.block(
                    f"{account} may only look on {server.name}",
                    f"On {server.name}, run Install-SssPortal.ps1 again with -AllowChange and "
                    "-ChangeGroup DOMAIN\\group.",
                    f"Add {account} to that group, and check again.",
                )
        return findings.found(sentence(f"{account} may look and change on every server"))


class Clocks(SetupCheck):
    """Portal, database and servers agree on the time: leases, tokens and “restarted since” depend on it."""

    key = "clocks"
    title = "The clocks agree"
    group = SERVERS
    source = sources.ERROR_CODES

    def judge(self, seen: Readings) -> Found:
        ahead = {server.name: seen.clock(server).ahead_s for server in seen.servers}
        asked_at = time.time()
        database = database_clock().timestamp()
        ahead["database"] = max(0.0, database - time.time()) + min(0.0, database - asked_at)
        return judge_clocks(ahead)


def judge_clocks(ahead_s: Mapping[str, float]) -> Found:
    """Judge how far other clocks are ahead of the portal's (behind: negative), in seconds."""
    findings = Findings()
    for name, seconds in ahead_s.items():
        findings.evidence[name] = f"{round(seconds, 1) + 0.0:+.1f} s"
        what = f"the clock of {name} is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} "
        fix = (
            f"Let {name} and the portal take the time from one source (on Windows: w32tm /resync; on "
            "Linux: chronyc makestep).",
        )
        if abs(seconds) >= WRONG_S:
            findings.block(f"{what}the portal's", *fix)
        elif abs(seconds) > FINE_S:
            findings.warn(f"{what}the portal's", *fix)
    return findings.found("No clock is off by more than 5 seconds.")


def _is_unfit(error: PortalError) -> bool:
    return error.code.rpartition("-")[2] in _UNFIT
