"""Signing people in: authorization code with PKCE, device code, sign-out."""

from __future__ import annotations

import html
import re
import urllib.parse
from typing import Any

import msal
import pytest
import requests

from tests.simulator.clients import TENANT, Clients

# The portal uses response_mode=query on purpose; msal advises against it.
pytestmark = pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended")

CALLBACK = "http://localhost:8000/sign-in/callback/"


def press(session: requests.Session, page: requests.Response, username: str) -> requests.Response:
    """Press a person's button on the sign-in page."""
    action = re.search(r"action='([^']+)'", page.text)
    assert action is not None
    hidden = re.findall(r"type='hidden' name='([^']*)' value='([^']*)'", page.text)
    form = {name: html.unescape(value) for name, value in hidden} | {"username": username}
    address = urllib.parse.urljoin(page.url, html.unescape(action[1]))
    return session.post(address, data=form, allow_redirects=False, timeout=10)


def begin(clients: Clients, **more: Any) -> tuple[msal.ConfidentialClientApplication, Any]:
    application = clients.application("sign_in_app")
    flow = application.initiate_auth_code_flow([], redirect_uri=CALLBACK, **more)
    return application, flow


def sign_in(clients: Clients, username: str) -> tuple[Any, Any, dict[str, str]]:
    """msal, its flow, and what the browser brought back."""
    application, flow = begin(clients)
    session = clients.http()
    page = session.get(flow["auth_uri"], timeout=10)
    answer = press(session, page, username)
    assert answer.status_code == 302, answer.text
    query = urllib.parse.urlsplit(answer.headers["Location"]).query
    assert answer.headers["Location"].startswith(CALLBACK)
    return application, flow, dict(urllib.parse.parse_qsl(query))


@pytest.mark.parametrize(
    ("username", "roles"),
    [
        ("mira.patel@contoso.example", ["Sss.Requester"]),
        ("lena.brandt@contoso.example", ["Sss.Approver"]),
        ("olaf.stein@contoso.example", ["Sss.Requester.contososervice"]),
    ],
)
def test_a_person_signs_in_with_their_roles(
    clients: Clients, username: str, roles: list[str]
) -> None:
    application, flow, answer = sign_in(clients, username)

    result = application.acquire_token_by_auth_code_flow(flow, answer)

    found = result["id_token_claims"]
    assert found["preferred_username"] == username
    assert found["roles"] == roles
    assert found["tid"] == clients.at["tenant_id"]
    assert found["oid"] != found["sub"]


def test_the_page_lists_everybody_without_script(clients: Clients) -> None:
    _, flow = begin(clients)

    page = clients.http().get(flow["auth_uri"], timeout=10).text

    for person in clients.at["people"]:
        assert person["name"] in page
    assert "<script" not in page
    assert '<html lang="en">' in page


def test_a_code_can_be_redeemed_once(clients: Clients) -> None:
    application, flow, answer = sign_in(clients, "mira.patel@contoso.example")
    application.acquire_token_by_auth_code_flow(flow, answer)

    again = application.acquire_token_by_auth_code_flow(flow, answer)

    assert again["error_codes"] == [54005]


def test_a_code_needs_its_verifier(clients: Clients) -> None:
    application, flow, answer = sign_in(clients, "mira.patel@contoso.example")

    result = application.acquire_token_by_auth_code_flow(flow | {"code_verifier": "x" * 43}, answer)

    assert result["error_codes"] == [501481]


def test_a_code_belongs_to_its_redirect_address(clients: Clients) -> None:
    application, flow, answer = sign_in(clients, "mira.patel@contoso.example")
    flow["redirect_uri"] = "http://localhost:8001/sign-in/callback/"

    assert application.acquire_token_by_auth_code_flow(flow, answer)["error_codes"] == [500112]


def test_an_address_that_is_not_registered_gets_no_code(clients: Clients) -> None:
    _, flow = begin(clients)
    address = flow["auth_uri"].replace("callback", "elsewhere")

    answer = clients.http().get(address, allow_redirects=False, timeout=10)

    assert answer.status_code == 400
    assert "AADSTS50011" in answer.text


def test_a_disabled_person_cannot_sign_in(clients: Clients) -> None:
    clients.sim.set_world(f"{TENANT}/people/mira.patel@contoso.example/is_enabled", False)
    _, flow = begin(clients)
    session = clients.http()
    page = session.get(flow["auth_uri"], timeout=10)

    assert "Mira Patel" not in page.text
    assert "AADSTS50034" in press(session, page, "mira.patel@contoso.example").text


def test_prompt_none_is_answered_by_an_error(clients: Clients) -> None:
    _, flow = begin(clients, prompt="none")

    answer = clients.http().get(flow["auth_uri"], allow_redirects=False, timeout=10)

    assert "error=login_required" in answer.headers["Location"]


def test_a_global_administrator_delegates_what_the_app_may_ask_for(clients: Clients) -> None:
    application = clients.application("setup_app")
    flow = application.initiate_auth_code_flow(
        [f"{clients.at['graph']}/Application.ReadWrite.All"], redirect_uri=CALLBACK
    )
    session = clients.http()
    page = session.get(flow["auth_uri"], timeout=10)
    location = press(session, page, "tom.okafor@contoso.example").headers["Location"]
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))

    result = application.acquire_token_by_auth_code_flow(flow, answer)

    assert "access_token" in result, result
    graph = {"Authorization": f"Bearer {result['access_token']}"}
    me = session.get(f"{clients.at['graph']}/v1.0/me", headers=graph, timeout=10)
    assert me.json()["userPrincipalName"] == "tom.okafor@contoso.example"


def test_a_permission_without_consent_is_not_granted(clients: Clients) -> None:
    application = clients.application("sign_in_app")
    flow = application.initiate_auth_code_flow(
        [f"{clients.at['graph']}/Application.ReadWrite.All"], redirect_uri=CALLBACK
    )
    session = clients.http()
    page = session.get(flow["auth_uri"], timeout=10)
    location = press(session, page, "tom.okafor@contoso.example").headers["Location"]
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))

    assert application.acquire_token_by_auth_code_flow(flow, answer)["error_codes"] == [65001]


def device_flow(clients: Clients) -> tuple[msal.PublicClientApplication, Any]:
    app = clients.at["sign_in_app"]
    application = msal.PublicClientApplication(
        app["client_id"],
        authority=f"{clients.at['entra']}/{app['tenant_id']}",
        instance_discovery=False,
        http_client=clients.http(),
    )
    return application, application.initiate_device_flow([])


def test_a_person_signs_in_by_device_code(clients: Clients) -> None:
    application, flow = device_flow(clients)
    session = clients.http()
    form = session.get(flow["verification_uri"], params={"otc": flow["user_code"]}, timeout=10)
    assert "Lena Brandt" in form.text
    press(session, form, "lena.brandt@contoso.example")

    result = application.acquire_token_by_device_flow(flow)

    assert result["id_token_claims"]["roles"] == ["Sss.Approver"]


def test_a_device_code_is_pending_until_somebody_signs_in(clients: Clients) -> None:
    application, flow = device_flow(clients)

    result = application.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)

    assert result["error"] == "authorization_pending"


def test_a_device_code_can_be_declined(clients: Clients) -> None:
    application, flow = device_flow(clients)
    form = {"otc": flow["user_code"], "decline": "1"}
    clients.http().post(flow["verification_uri"], data=form, timeout=10)

    assert application.acquire_token_by_device_flow(flow)["error"] == "authorization_declined"


def test_a_wrong_user_code_is_said_to_be_wrong(clients: Clients) -> None:
    _, flow = device_flow(clients)

    page = clients.http().get(flow["verification_uri"], params={"otc": "WRONG"}, timeout=10)

    assert "That code didn&#x27;t work" in page.text or "That code didn't work" in page.text


def test_sign_out_goes_back_to_a_registered_address_only(clients: Clients) -> None:
    configuration = clients.http().get(
        f"{clients.at['entra']}/{clients.at['tenant_id']}/v2.0/.well-known/openid-configuration",
        timeout=10,
    )
    out = configuration.json()["end_session_endpoint"]
    session = clients.http()

    home = session.get(
        out,
        params={"post_logout_redirect_uri": "http://localhost:8000/"},
        allow_redirects=False,
        timeout=10,
    )
    away = session.get(
        out,
        params={"post_logout_redirect_uri": "https://evil.example/"},
        allow_redirects=False,
        timeout=10,
    )

    assert home.headers["Location"] == "http://localhost:8000/"
    assert away.status_code == 200
