"""Signing in to the Web API: Negotiate on the intranet, AD FS tokens where claims are on."""

from __future__ import annotations

import urllib.parse
from typing import Any

import msal
import pytest
import requests
from requests_ntlm import HttpNtlmAuth

from tests.simulator.clients import SALES, Clients
from tests.simulator.test_sign_in import CALLBACK, press


def switch_claims(clients: Clients, *, oauth: bool = True) -> None:
    for name, value in (("claims", True), ("ifd", True), ("oauth", oauth)):
        clients.sim.set_world(f"deployment/{name}_enabled", value)


def who_am_i(clients: Clients, session: requests.Session, **headers: str) -> requests.Response:
    address = f"{clients.at['crm']}/{SALES}/api/data/v9.1/WhoAmI"
    return session.get(address, headers=headers, allow_redirects=False, timeout=10)


def adfs_token(clients: Clients, kind: str, **more: str) -> dict[str, Any]:
    """The token endpoint called by hand, as AD FS 2016 has to be."""
    user = clients.at["crm_user"]
    form = {
        "grant_type": "password",
        "client_id": clients.at["adfs_client"]["client_id"],
        "username": user["upn"],
        "password": user["password"],
        "resource": f"{clients.at['crm']}/",
    }
    address = f"{clients.at[f'adfs{kind}']}/adfs/oauth2/token"
    answer: dict[str, Any] = clients.http().post(address, data=form | more, timeout=10).json()
    return answer


def test_negotiate_signs_a_user_in(clients: Clients) -> None:
    answer = clients.crm().get("WhoAmI")

    assert answer.status_code == 200
    assert (
        answer.json()["OrganizationId"] == clients.sim.world("deployment")["organizations"][0]["id"]
    )


def test_the_sign_in_belongs_to_the_connection(clients: Clients) -> None:
    crm = clients.crm()
    crm.get("WhoAmI")
    before = len(clients.sim.calls())

    crm.session.auth = None
    answer = crm.get("WhoAmI")

    assert answer.status_code == 200
    assert len([c for c in clients.sim.calls()[before:] if c["system"] == "crm"]) == 1
    assert who_am_i(clients, clients.http()).status_code == 401


def test_without_credentials_there_is_a_challenge(clients: Clients) -> None:
    answer = who_am_i(clients, clients.http())

    assert answer.status_code == 401
    assert "Negotiate" in answer.headers["WWW-Authenticate"]


def test_a_wrong_password_is_refused(clients: Clients) -> None:
    session = clients.http()
    session.auth = HttpNtlmAuth(clients.at["crm_user"]["username"], "wrong")

    assert who_am_i(clients, session).status_code == 401


def test_a_windows_account_that_is_no_user_is_refused(clients: Clients) -> None:
    account = clients.at["winrm_user"]["none"]
    session = clients.http()
    session.auth = HttpNtlmAuth(account["username"], account["password"])

    assert who_am_i(clients, session).status_code == 403


def test_with_claims_negotiate_is_no_longer_offered(clients: Clients) -> None:
    switch_claims(clients)

    answer = who_am_i(clients, clients.http())

    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith(f"Bearer authorization_uri={clients.at['adfs2019']}/adfs/oauth2")
    assert "resource_id=" in challenge


def test_a_browser_is_sent_to_ad_fs(clients: Clients) -> None:
    switch_claims(clients)

    answer = who_am_i(clients, clients.http(), Accept="text/html")

    assert answer.status_code == 302
    assert "/adfs/ls/?wa=wsignin1.0&wtrealm=" in answer.headers["Location"]


def test_msal_gets_a_token_of_ad_fs_2019(clients: Clients) -> None:
    switch_claims(clients)
    user = clients.at["crm_user"]
    application = msal.PublicClientApplication(
        clients.at["adfs_client"]["client_id"],
        authority=f"{clients.at['adfs2019']}/adfs",
        http_client=clients.http(),
    )

    with pytest.warns(DeprecationWarning, match="msal-ropc-migration"):
        answer = application.acquire_token_by_username_password(
            user["upn"], user["password"], [f"{clients.at['crm']}/user_impersonation"]
        )

    assert "access_token" in answer, answer
    bearer = f"Bearer {answer['access_token']}"
    assert who_am_i(clients, clients.http(), Authorization=bearer).status_code == 200


def test_ad_fs_2016_wants_the_resource_by_name(clients: Clients) -> None:
    switch_claims(clients)

    refused = adfs_token(clients, "2016", resource="", scope=f"{clients.at['crm']}/x")
    answer = adfs_token(clients, "2016")

    assert refused["error_description"].startswith("MSIS9601: ")
    bearer = f"Bearer {answer['access_token']}"
    assert who_am_i(clients, clients.http(), Authorization=bearer).status_code == 200


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"password": "wrong"}, "MSIS9659"),
        ({"client_id": "nobody"}, "MSIS9223"),
        ({"resource": "https://elsewhere.example/"}, "MSIS9602"),
        ({"grant_type": "client_credentials"}, "MSIS9611"),
    ],
)
def test_ad_fs_refuses_with_its_own_codes(
    clients: Clients, more: dict[str, str], code: str
) -> None:
    answer = adfs_token(clients, "2016", **more)

    assert answer["error_description"].startswith(code)


def test_a_token_of_entra_is_no_token_of_ad_fs(clients: Clients) -> None:
    switch_claims(clients)
    bearer = f"Bearer {clients.token()['access_token']}"

    assert who_am_i(clients, clients.http(), Authorization=bearer).status_code == 401


def test_with_oauth_off_no_token_helps(clients: Clients) -> None:
    switch_claims(clients, oauth=False)
    bearer = f"Bearer {adfs_token(clients, '2019')['access_token']}"

    answer = who_am_i(clients, clients.http(), Authorization=bearer)

    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers


def test_the_discovery_documents_of_both_kinds(clients: Clients) -> None:
    for kind in ("2019", "2016"):
        base = f"{clients.at[f'adfs{kind}']}/adfs"
        found = clients.http().get(f"{base}/.well-known/openid-configuration", timeout=10).json()
        assert found["issuer"] == base
        assert found["token_endpoint"].startswith(base)


@pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended")
@pytest.mark.parametrize("kind", ["2019", "2016"])
def test_a_person_signs_in_to_ad_fs_by_code(clients: Clients, kind: str) -> None:
    switch_claims(clients)
    application = msal.PublicClientApplication(
        clients.at["adfs_client"]["client_id"],
        authority=f"{clients.at[f'adfs{kind}']}/adfs",
        http_client=clients.http(),
    )
    flow = application.initiate_auth_code_flow(
        [f"{clients.at['crm']}/user_impersonation"], redirect_uri=CALLBACK
    )
    session = clients.http()
    address = flow["auth_uri"]
    if kind == "2016":
        assert "MSIS9601" in session.get(address, timeout=10).text
        address += "&" + urllib.parse.urlencode({"resource": f"{clients.at['crm']}/"})
    answer = press(session, session.get(address, timeout=10), clients.at["crm_user"]["upn"])
    query = urllib.parse.urlsplit(answer.headers["Location"]).query

    result = application.acquire_token_by_auth_code_flow(flow, dict(urllib.parse.parse_qsl(query)))

    assert "access_token" in result, result
    assert result["id_token_claims"]["upn"] == clients.at["crm_user"]["upn"]
    bearer = f"Bearer {result['access_token']}"
    assert who_am_i(clients, clients.http(), Authorization=bearer).status_code == 200
    (account,) = application.get_accounts()
    renewed = application.acquire_token_silent(
        [f"{clients.at['crm']}/user_impersonation"], account, force_refresh=True
    )
    assert renewed is not None
    assert "access_token" in renewed, renewed


def test_ad_fs_sends_nobody_to_a_foreign_address(clients: Clients) -> None:
    query = {
        "client_id": clients.at["adfs_client"]["client_id"],
        "response_type": "code",
        "redirect_uri": "https://evil.example/",
        "resource": f"{clients.at['crm']}/",
    }
    page = f"{clients.at['authorize']}/adfs2016/oauth2/authorize"

    answer = clients.http().get(page, params=query, allow_redirects=False, timeout=10)

    assert (answer.status_code, "MSIS9224" in answer.text) == (400, True)
