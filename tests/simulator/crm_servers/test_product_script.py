from __future__ import annotations

import json

from simulator.deployment import KeyReader
from tests.simulator.crm_servers.conftest import TOOLS, Crm, change
from tests.simulator.crm_servers.test_install_certificate import INSTALL, parameters


def test_the_product_script_puts_back_the_readers_that_it_dropped(crm: Crm) -> None:
    session, old = crm.session(TOOLS), crm.company.old
    crm.dials.add({"set": f"winrm:{TOOLS}/script_drops_readers", "value": True})
    here = crm.deployment.server(TOOLS).certificates[0]
    here.key_readers[-1] = KeyReader("CONTOSO\\svc-adfs", "S-1-5-21-9-1140")
    given = parameters(session, old, GrantRead=["WebApplication"], Method="ProductScript")

    result = session.result(INSTALL, **given)

    after = result["After"]
    accounts = [reader["Account"] for reader in after["Certificate"]["KeyReaders"]]
    assert (result["Changed"], after["Method"]) == (True, "ProductScript")
    assert [r["Account"] for r in after["RestoredReaders"]] == ["CONTOSO\\svc-adfs"]
    assert accounts[-2:] == ["CONTOSO\\svc-adfs", "CONTOSO\\svc-crmweb"]


def test_the_product_script_may_be_missing_untrusted_or_fail(crm: Crm) -> None:
    tools = crm.deployment.server(TOOLS)
    session, new = crm.session(TOOLS), crm.company.new

    def code(*roles: str) -> str:
        given = parameters(session, new, GrantRead=list(roles), Method="ProductScript")
        answer = json.loads(session.output(INSTALL, **given))
        assert answer["Error"]["Changed"] == "No"
        return str(answer["Error"]["Code"])

    assert code() == "BadParameter"
    tools.script_present = False
    assert code("WebApplication") == "ScriptMissing"
    tools.script_present, tools.script_signature = True, "HashMismatch"
    assert code("WebApplication") == "ScriptUntrusted"
    tools.script_signature = "Valid"
    crm.dials.add({"set": "winrm/script_fails", "value": True})
    assert code("WebApplication") == "ScriptFailed"
    assert crm.ledger.entries() == []


def test_a_killed_product_script_leaves_a_file_that_can_be_cleared(crm: Crm) -> None:
    session, new = crm.session(TOOLS), crm.company.new
    crm.dials.add({"set": f"winrm:{TOOLS}/script_killed", "value": True})
    given = parameters(session, new, GrantRead=["WebApplication"], Method="ProductScript")

    error = session.call(INSTALL, **given)["Error"]
    left = session.result("Get-SssServer")["Server"]["TransferFiles"]
    cleared = session.result("Clear-SssTransferFile", **change())
    again = session.result("Clear-SssTransferFile", **change())

    assert (error["Code"], error["Changed"]) == ("ScriptFailed", "Unknown")
    assert left == 1
    assert (cleared["Changed"], cleared["Before"], cleared["After"]) == (
        True,
        {"Files": 1},
        {"Files": 0},
    )
    assert again["Changed"] is False
    assert session.result("Get-SssServer")["Server"]["TransferFiles"] == 0
