from __future__ import annotations

import pytest

from portal.jobs.states import Verdict
from sync_setup.checks.egress import AsyncEgress, TlsOfServers
from sync_setup.checks.egress import _fault as fault_of
from sync_setup.gateways.contract import Reached
from tests.checks.company import ASYNC, TOOLS, Company, expect

EGRESS, TLS = AsyncEgress(), TlsOfServers()
EXCHANGE = "outlook.office365.com"


def test_every_host_is_reached(company: Company) -> None:
    found = expect(company.find(EGRESS), Verdict.PASS)
    assert EXCHANGE in found.evidence[ASYNC]
    assert found.evidence[f"{ASYNC}, proxy"] is None


def test_a_closed_firewall_on_an_async_server_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, unreachable_hosts=[EXCHANGE])
    found = expect(company.find(EGRESS), Verdict.BLOCK, ASYNC, EXCHANGE)
    assert "firewall" in found.fix


def test_a_closed_firewall_on_a_web_server_is_a_warning(company: Company) -> None:
    company.arrange_server(TOOLS, unreachable_hosts=[EXCHANGE])
    expect(company.find(EGRESS), Verdict.WARN, TOOLS, EXCHANGE)


def test_tls_inspection_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, intercepted_hosts=[EXCHANGE])
    found = expect(company.find(EGRESS), Verdict.BLOCK, "Contoso TLS Inspection CA")
    assert "inspection" in found.fix


def test_no_async_server_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, roles=["Other"])
    expect(company.find(EGRESS), Verdict.BLOCK, "no registered server")


def test_an_unknown_cloud_cannot_be_judged(company: Company) -> None:
    tenant = company.organization.tenant
    tenant.cloud = "china"
    tenant.save()
    expect(company.find(EGRESS), Verdict.CANNOT_CHECK)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"tls_protocol": "Tls13"}, ""),
        ({"dns": False}, "cannot resolve"),
        ({"tcp": False}, "cannot reach"),
        ({"tls_protocol": "Tls11"}, "over Tls11 only"),
        ({"tls_protocol": None}, "over no TLS only"),
        ({"trusted": False}, "does not trust"),
    ],
)
def test_what_can_be_wrong_on_the_way(changes: dict[str, object], words: str) -> None:
    good: dict[str, object] = {
        "host": EXCHANGE,
        "port": 443,
        "dns": True,
        "tcp": True,
        "tls_protocol": "Tls12",
        "issuer": "CN=Some CA",
        "trusted": True,
        "milliseconds": 30,
        "error": None,
    }
    fault = fault_of(Reached(**(good | changes)))  # type: ignore[arg-type]
    assert words in fault
    assert bool(fault) == bool(words)


def test_tls_is_on(company: Company) -> None:
    expect(company.find(TLS), Verdict.PASS)


def test_tls_12_switched_off_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, tls12_client=False)
    found = expect(company.find(TLS), Verdict.BLOCK, ASYNC)
    assert "SCHANNEL" in found.fix


def test_weak_dotnet_is_a_warning(company: Company) -> None:
    company.arrange_server(ASYNC, strong_crypto=False)
    found = expect(company.find(TLS), Verdict.WARN, ASYNC)
    assert "SchUseStrongCrypto" in found.fix
