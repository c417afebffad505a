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


def test_readers_are_told_by_their_sid_and_their_rights(company: Company) -> None:
    place = f"deployment/servers/{ASYNC}/certificates/0/key_readers"
    sid = company.simulator.world("deployment", "servers", ASYNC, "services", 0, "sid")
    states = {}
    for rights, account in (
        ("Read", "contoso.example\\svc-crmasync"),
        ("Other", "CONTOSO\\svc-crmasync"),
    ):
        reader = {"account": account, "sid": sid, "rights": rights, "added_by_portal": False}
        company.arrange(place, [reader])
        with company.context() as context:
            links = {link.key: link for link in Chain(context).links()}
        states[rights] = (links["readers"].state, links["readers"].text)

    assert states["Read"][0] == "done"
    assert states["Other"] == ("failing", f"Cannot read: CONTOSO\\svc-crmasync on {ASYNC}.")
