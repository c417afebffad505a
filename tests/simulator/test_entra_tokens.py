"""Tokens for applications: secrets, certificates, and how Entra ID refuses."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.simulator.clients import TENANT, Clients

SETUP = f"{TENANT}/applications/1a7b3d2c-5e94-4f8b-a2d6-84c6f9b71e22"


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_a_secret_gets_a_token_with_the_consented_roles(clients: Clients) -> None:
    answer = clients.token()

    found = claims(answer["access_token"])
    assert found["roles"] == ["Application.ReadWrite.All", "Organization.Read.All"]
    assert found["tid"] == clients.at["setup_app"]["tenant_id"]
    assert found["aud"] == clients.at["graph"]
    assert found["appid"] == clients.at["setup_app"]["client_id"]


def test_a_certificate_assertion_gets_a_token(clients: Clients) -> None:
    assert "access_token" in clients.token(credential=clients.certificate_credential())


def test_a_tenant_may_be_named_by_its_domain(clients: Clients) -> None:
    authority = f"{clients.at['entra']}/{clients.at['tenant_domain']}"

    application = clients.application(authority=authority)

    assert "access_token" in application.acquire_token_for_client(
        [f"{clients.at['graph']}/.default"]
    )


def test_an_assertion_by_a_domain_name_is_addressed_to_what_was_called(clients: Clients) -> None:
    authority = f"{clients.at['entra']}/{clients.at['tenant_domain']}"

    application = clients.application(
        credential=clients.certificate_credential(), authority=authority
    )

    assert "access_token" in application.acquire_token_for_client(
        [f"{clients.at['graph']}/.default"]
    )


def test_without_consent_the_token_comes_and_has_no_roles(clients: Clients) -> None:
    answer = clients.token("setup_app_without_permission")

    assert "roles" not in claims(answer["access_token"])


def test_another_companys_app_is_in_another_tenant(clients: Clients) -> None:
    answer = clients.token("other_tenant")

    assert claims(answer["access_token"])["tid"] != clients.at["tenant_id"]


def test_a_wrong_secret_is_refused(clients: Clients) -> None:
    answer = clients.token(credential="not-the-secret")

    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]
    assert answer["error_description"].startswith("AADSTS7000215: ")


def test_an_expired_secret_is_refused(clients: Clients) -> None:
    clients.sim.set_world(f"{SETUP}/secrets/0/expires_at", "2026-01-01T00:00:00.000Z")

    assert clients.token()["error_codes"] == [7000222]


def test_a_deleted_application_is_unknown(clients: Clients) -> None:
    clients.sim.remove_from_world(SETUP)

    assert clients.token()["error_codes"] == [700016]


def test_a_certificate_that_is_not_registered_is_refused(clients: Clients) -> None:
    clients.sim.set_world(f"{SETUP}/certificates", [])

    answer = clients.token(credential=clients.certificate_credential())

    assert answer["error_codes"] == [700027]
    assert "The key was not found." in answer["error_description"]


def test_an_assertion_signed_by_another_key_is_refused(clients: Clients) -> None:
    wrong = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    credential = clients.certificate_credential() | {"private_key": wrong.decode()}

    answer = clients.token(credential=credential)

    assert answer["error_codes"] == [700027]
    assert "did not match the expected signature value" in answer["error_description"]


def test_a_tenant_that_does_not_exist_is_said_to_be_unknown(clients: Clients) -> None:
    address = f"{clients.at['entra']}/nowhere.example/v2.0/.well-known/openid-configuration"

    answer = clients.http().get(address, timeout=10)

    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_secret": ""}, 7000218),
        ({"client_id": ""}, 900144),
        ({"grant_type": "password"}, 70003),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 1002012),
        ({"scope": "https://management.azure.com/.default"}, 500011),
    ],
)
def test_a_bad_request_is_refused_with_its_code(
    clients: Clients, change: dict[str, str], code: int
) -> None:
    app = clients.at["setup_app_without_permission"]
    form = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "scope": f"{clients.at['graph']}/.default",
    }
    address = f"{clients.at['entra']}/{app['tenant_id']}/oauth2/v2.0/token"

    answer = clients.http().post(address, data=form | change, timeout=10)

    assert answer.json()["error_codes"] == [code]


def test_the_common_endpoint_is_not_for_single_tenant_apps(clients: Clients) -> None:
    address = f"{clients.at['entra']}/common/v2.0/.well-known/openid-configuration"

    assert clients.http().get(address, timeout=10).json()["error_codes"] == [50194]


def test_the_callers_request_id_comes_back(clients: Clients) -> None:
    address = f"{clients.at['entra']}/nowhere.example/v2.0/.well-known/openid-configuration"

    answer = clients.http().get(address, headers={"client-request-id": "abc"}, timeout=10)

    assert answer.headers["client-request-id"] == "abc"
    assert answer.json()["correlation_id"] == "abc"
