from __future__ import annotations

from simulator.deployment import KeyReader
from sync_setup.trust_chain import Chain
from tests.checks.company import ASYNC, TOOLS, Company


def test_key_and_readers_of_a_certificate_are_told_for_each_server(company: Company) -> None:
    reader = KeyReader("CONTOSO\\svc-crmasync", "S-1-5-21-1-1-1-1107", "Read", False)
    company.install(TOOLS, company.good, key_readers=[], key_spec=2)
    company.install(ASYNC, company.good, key_readers=[reader])

    with company.context() as context:
        rows = {row["thumbprint"]: row for row in Chain(context).certificates()}

    servers = rows[company.good.thumbprint_sha1]["servers"]
    assert servers[ASYNC]["readers"] == ["CONTOSO\\svc-crmasync"]
    assert servers[TOOLS]["readers"] == []
    assert (servers[TOOLS]["key_spec"], servers[ASYNC]["key_spec"]) == (2, 1)
