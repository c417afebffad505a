"""The services of CRM on every server: who they run as, and whether they run."""

from __future__ import annotations

from collections.abc import Iterator

from portal.errors import PortalError
from portal.jobs.checks import Found
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import SERVERS, SetupCheck
from sync_setup.gateways.contract import Server, Service
from sync_setup.gateways.dynamics import USERS
from sync_setup.gateways.odata import compare

# What must be on a server of a role, in Windows' own names.
_NEEDED: dict[str, dict[str, str]] = {
    "Async": {"Async": "MSCRMAsyncService", "AsyncMaintenance": "MSCRMAsyncService$maintenance"},
    "WebApplication": {"WebApplicationPool": "CRMAppPool"},
}
# Whose accounts read the private key.
_READERS = ("Async", "WebApplicationPool")


class ServiceAccounts(SetupCheck):
    """Each server tells by itself under which accounts its services sign; nobody types one.

    A personal account as service account is what breaks internet-facing deployment in the old procedure.
    """

    key = "service-accounts"
    title = "The service accounts are known, and are service accounts"
    group = SERVERS
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        for name, _, service in _services(seen):
            if service.service not in _READERS:
                continue
            account = service.account
            findings.evidence[f"{name}, {service.name}"] = f"{account} ({service.account_kind})"
            if not account or not service.sid:
                findings.block(
                    f"{name} does not tell the account of {service.name}",
                    f"On {name}, look at {service.name} (services.msc, or IIS Manager for the "
                    "application pool) and give it a domain account that exists.",
                )
            elif service.account_kind == "BuiltIn":
                findings.warn(
                    f"{service.name} on {name} runs as {account}, which others share: all of them can "
                    "read the private key",
                    f"Give {service.name} on {name} a domain account of its own, or a gMSA.",
                )
            elif person := _person(seen, account):
                findings.warn(
                    f"{service.name} on {name} runs as {account}, which is the Dynamics user {person}",
                    f"Give {service.name} on {name} an account that is nobody's own.",
                )
        for name, role, missing in _missing(seen):
            if missing in _READERS:
                findings.block(
                    f"{name} has the role {role} and no {_NEEDED[role][missing]}",
                    f"Repair the CRM server installation on {name}.",
                )
        return findings.found("The accounts of both services are known on every server.")


class ServicesRunning(SetupCheck):
    """The asynchronous services and the web application run: a restart cannot mend what was stopped on purpose."""

    key = "services-running"
    title = "The CRM services run"
    group = SERVERS
    source = sources.TROUBLESHOOTING

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        for name, _, service in _services(seen):
            findings.evidence[f"{name}, {service.name}"] = f"{service.state}, {service.start_mode}"
            start = f"On {name}, find out why {service.name} is {{}}, and start it."
            if service.start_mode == "Disabled":
                findings.block(
                    f"{service.name} on {name} is disabled",
                    f"On {name}, set {service.name} to Automatic and start it.",
                )
            elif service.state != "Running":
                findings.block(
                    f"{service.name} on {name} is {service.state}", start.format(service.state)
                )
            elif service.start_mode == "Manual":
                findings.warn(
                    f"{service.name} on {name} does not start with Windows",
                    f"On {name}, set {service.name} to Automatic.",
                )
        for name, role, missing in _missing(seen):
            findings.block(
                f"{_NEEDED[role][missing]} is missing on {name}",
                f"Repair the CRM server installation on {name}.",
            )
        return findings.found("Every service of CRM runs on its server.")


class PendingReboot(SetupCheck):
    """A restart of Windows that is due can come at any time, in the middle of the work."""

    key = "pending-reboot"
    title = "No server waits for a restart of Windows"
    group = SERVERS
    source = sources.TROUBLESHOOTING

    def judge(self, seen: Readings) -> Found:
        due = [server.name for server in seen.servers if seen.server(server).pending_reboot]
        findings = Findings()
        findings.evidence = {server.name: server.name in due for server in seen.servers}
        if due:
            findings.warn(
                f"{listed(due)} {'waits' if len(due) == 1 else 'wait'} for a restart of Windows",
                f"Restart {listed(due)} before the change window.",
            )
        return findings.found("No server waits for a restart of Windows.")


def _services(seen: Readings) -> Iterator[tuple[str, str, Service]]:
    """Give each service that its server's roles need: server, role, service."""
    for name, facts in _servers(seen):
        for role, needed in _NEEDED.items():
            if role in facts.roles:
                for service in (*facts.services, *facts.app_pools):
                    if service.service in needed:
                        yield name, role, service


def _missing(seen: Readings) -> Iterator[tuple[str, str, str]]:
    """Give what a role needs and its server does not have: server, role, service."""
    for name, facts in _servers(seen):
        there = {service.service for service in (*facts.services, *facts.app_pools)}
        for role, needed in _NEEDED.items():
            if role in facts.roles:
                for service in sorted(set(needed) - there):
                    yield name, role, service


def _servers(seen: Readings) -> Iterator[tuple[str, Server]]:
    for server in seen.servers:
        yield server.name, seen.server(server)


def _person(seen: Readings, account: str) -> str:
    """Name the enabled user of Dynamics that this account is; '' if it is none, or nobody can tell."""
    try:
        where = compare("domainname", "eq", account)
        found = list(seen.dynamics().records(USERS, ("fullname", "isdisabled"), where))
    except PortalError:
        return ""  # the check of the sign-in says what is wrong there
    return next(
        (str(row.fields.get("fullname")) for row in found if not row.fields.get("isdisabled")), ""
    )
