from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from typing import Any

import pytest
from pypsrp.exceptions import AuthenticationError, WSManFaultError

from simulator.crm_servers.accounts import Account, Accounts
from simulator.crm_servers.soap import ACCESS_DENIED, INVALID_RESOURCE_URI
from tests.simulator.crm_servers.conftest import ASYNC, CHANGE, LOOK, NOBODY, TOOLS, Crm


def test_each_server_has_a_port_of_its_own_and_knows_its_name(crm: Crm) -> None:
    names = {s: crm.session(s).call("Get-SssServer")["ServerName"] for s in (TOOLS, ASYNC)}

    assert names == {TOOLS: TOOLS, ASYNC: ASYNC}
    assert crm.servers[TOOLS].port != crm.servers[ASYNC].port


def test_an_account_may_be_written_as_user_principal_name(crm: Crm) -> None:
    session = crm.open(TOOLS, "SVC-sssportal@contoso.example")

    assert session.pool.shell.owner == CHANGE


def test_a_wrong_password_is_refused(crm: Crm) -> None:
    with pytest.raises(AuthenticationError):
        crm.open(TOOLS, CHANGE, password="wrong")


def test_an_unknown_account_is_refused(crm: Crm) -> None:
    with pytest.raises(AuthenticationError):
        crm.open(TOOLS, "CONTOSO\\stranger")


def test_an_account_in_neither_group_is_denied_access(crm: Crm) -> None:
    with pytest.raises(WSManFaultError) as refused:
        crm.open(TOOLS, NOBODY)

    assert refused.value.code == ACCESS_DENIED
    assert "Access is denied" in refused.value.reason


@pytest.mark.parametrize("configuration", ["Microsoft.PowerShell", "SssSetup"])
def test_no_other_session_configuration_exists(crm: Crm, configuration: str) -> None:
    with pytest.raises(WSManFaultError) as refused:
        crm.open(TOOLS, CHANGE, configuration=configuration)

    assert refused.value.code == INVALID_RESOURCE_URI
    assert f"Cannot find the {configuration} session configuration" in refused.value.reason


def _with_certificate(crm: Crm, name: str) -> dict[str, Any]:
    folder = crm.company.folder
    return {
        "auth": "certificate",
        "username": None,
        "password": None,
        "certificate_pem": str(folder / f"{name}.pem"),
        "certificate_key_pem": str(folder / f"{name}-key.pem"),
    }


def test_a_client_certificate_stands_for_the_account_it_is_mapped_to(crm: Crm) -> None:
    session = crm.open(TOOLS, "", **_with_certificate(crm, "client"))

    assert session.pool.shell.owner == CHANGE
    assert session.call("Get-SssServer")["Ok"]
    session.close()


def test_a_client_certificate_that_is_not_mapped_is_refused(crm: Crm) -> None:
    company = crm.company
    stranger = company.pki.issue(
        "stranger@contoso.example",
        company.client.certificate.not_valid_before_utc,
        company.client.certificate.not_valid_after_utc,
    )
    (company.folder / "stranger.pem").write_bytes(stranger.chain_pem)
    (company.folder / "stranger-key.pem").write_bytes(stranger.key_pem)

    with pytest.raises(AuthenticationError):
        crm.open(TOOLS, "", **_with_certificate(crm, "stranger"))


def test_a_sign_in_bound_to_another_channel_is_refused(crm: Crm) -> None:
    """What a relay between client and server would look like: another certificate was seen."""
    with pytest.raises(AuthenticationError):
        crm.open(TOOLS, CHANGE, negotiate_send_cbt=False)


def test_without_sign_in_the_server_asks_for_negotiate(crm: Crm) -> None:
    context = ssl.create_default_context(cafile=crm.company.trust)
    request = urllib.request.Request(
        f"https://localhost:{crm.servers[TOOLS].port}/wsman", data=b"<x/>", method="POST"
    )
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(request, timeout=5)

    assert refused.value.code == 401
    assert refused.value.headers["WWW-Authenticate"] == "Negotiate"
    refused.value.close()


def test_one_client_cannot_use_the_shell_of_another(crm: Crm) -> None:
    change, look = crm.session(TOOLS, CHANGE), crm.session(TOOLS, LOOK)
    foreign = change.pool.shell

    with pytest.raises(WSManFaultError) as refused:
        look.wsman.delete(foreign.resource_uri, selector_set=foreign._selector_set)

    assert "shell was not found" in refused.value.reason
    assert change.call("Get-SssServer")["Ok"]


def test_passwords_are_shown_by_no_account() -> None:
    account = Account("CONTOSO\\svc", "Never-Shown-1", "Look")

    assert "Never-Shown-1" not in repr(account)
    assert Accounts([account]).password_fits("contoso\\SVC", "Never-Shown-1")
    assert not Accounts([account]).password_fits("contoso\\SVC", "other")
