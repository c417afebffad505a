"""The way out from the CRM servers to Microsoft: the commonest thing that is missing."""

from __future__ import annotations

from portal.jobs.checks import Found
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, listed
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import SERVERS, SetupCheck
from sync_setup.gateways.contract import Reached

_GOOD_TLS = ("Tls12", "Tls13")


class AsyncEgress(SetupCheck):
    """Every asynchronous server reaches the token service and Exchange Online by itself, over TLS 1.2.

    Web servers need the same way out for CRM's own Test Connection alone, so there it is a warning.
    """

    key = "async-egress"
    title = "Every asynchronous server reaches Microsoft over TLS 1.2"
    group = SERVERS
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        servers = seen.with_role("Async", "EmailIntegration", "WebApplication")
        background = {row.pk for row in seen.with_role("Async", "EmailIntegration")}
        for server in servers:
            egress = seen.egress(server)
            good = [reached.host for reached in egress.endpoints if not _fault(reached)]
            findings.evidence[server.name] = good
            findings.evidence[f"{server.name}, proxy"] = egress.proxy
            for reached in egress.endpoints:
                if fault := _fault(reached):
                    note = findings.block if server.pk in background else findings.warn
                    note(f"{server.name} {fault}", *_fix(server.name, reached))
        if not background:
            findings.block(
                "no registered server has the asynchronous service",
                "Register the server with the Asynchronous Service role.",
            )
        return findings.found(f"{listed([row.name for row in servers])} reach every host.")


class TlsOfServers(SetupCheck):
    """Windows and .NET on every server use TLS 1.2: Exchange Online speaks nothing older."""

    key = "tls"
    title = "TLS 1.2 is on for Windows and .NET"
    group = SERVERS
    source = sources.TLS

    def judge(self, seen: Readings) -> Found:
        findings = Findings()
        for server in seen.key_servers:
            facts = seen.server(server)
            findings.evidence[server.name] = (
                f"TLS 1.2 client {'on' if facts.tls12_client else 'off'}, "
                f"SchUseStrongCrypto {'on' if facts.strong_crypto else 'off'}"
            )
            if not facts.tls12_client:
                findings.block(
                    f"TLS 1.2 is switched off for clients on {server.name}",
                    f"On {server.name}, set Enabled=1 and DisabledByDefault=0 under HKLM\\SYSTEM\\"
                    "CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client, "
                    "and restart Windows.",
                )
            if not facts.strong_crypto:
                findings.warn(
                    f".NET on {server.name} may choose an older TLS than 1.2",
                    f"On {server.name}, set SchUseStrongCrypto=1 under HKLM\\SOFTWARE\\Microsoft\\"
                    ".NETFramework\\v4.0.30319 (and under Wow6432Node), and restart the services.",
                )
        return findings.found("TLS 1.2 is on for Windows and .NET on every server.")


def _fault(reached: Reached) -> str:
    """Say what is wrong on the way to a host, or ''."""
    if not reached.dns:
        return f"cannot resolve {reached.host}"
    if not reached.tcp:
        return f"cannot reach {reached.host}:{reached.port}"
    if not reached.trusted:
        return f"does not trust the certificate that {reached.host} shows ({reached.issuer})"
    if reached.tls_protocol not in _GOOD_TLS:
        return f"reaches {reached.host} over {reached.tls_protocol or 'no TLS'} only"
    return ""


def _fix(server: str, reached: Reached) -> tuple[str, ...]:
    if not reached.dns:
        return (f"Let the name server of {server} resolve {reached.host}.",)
    if not reached.tcp:
        return (
            f"Open the firewall from {server} to {reached.host}, port {reached.port}.",
            f"If {server} goes out through a proxy, set it for the machine: netsh winhttp set proxy …",
        )
    if not reached.trusted:
        return (
            f"Exempt {reached.host} from TLS inspection, or let {server} trust the inspecting authority.",
        )
    return (f"Switch TLS 1.2 on for clients on {server}.",)
