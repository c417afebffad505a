"""Microsoft Graph: what can be read, by whom, and in which shape."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.simulator.clients import CRM_APP_ID, TENANT, Clients, Graph

HYBRID_SKU = "de176c31-616d-4eae-829a-718918d7ec23"
SETUP = f"{TENANT}/applications/1a7b3d2c-5e94-4f8b-a2d6-84c6f9b71e22"
FIND_PRINCIPAL = f"/servicePrincipals?$filter=appId eq '{CRM_APP_ID}'"


def grant(clients: Clients, *permissions: str) -> Graph:
    """Graph with exactly these application permissions."""
    clients.sim.set_world(f"{SETUP}/permissions", list(permissions))
    return clients.graph()


def test_the_organization_and_its_domains(clients: Clients) -> None:
    found = clients.graph().get("/organization?$select=id,displayName,verifiedDomains").json()

    assert [row["id"] for row in found["value"]] == [clients.at["tenant_id"]]
    assert found["value"][0]["verifiedDomains"][0]["name"] == "contoso.example"
    assert set(found["value"][0]) == {"id", "displayName", "verifiedDomains"}


def test_the_hybrid_connector_is_among_the_licences(clients: Clients) -> None:
    rows = clients.graph().get("/subscribedSkus").json()["value"]

    connector = next(row for row in rows if row["skuId"] == HYBRID_SKU)
    assert connector["skuPartNumber"] == "CRM_HYBRIDCONNECTOR"
    assert connector["capabilityStatus"] == "Enabled"


def test_licences_cannot_be_filtered(clients: Clients) -> None:
    answer = clients.graph().get("/subscribedSkus?$filter=skuId eq 'x'")

    assert answer.status_code == 400


def test_a_list_shows_no_key_bytes(clients: Clients) -> None:
    rows = clients.graph().get(f"{FIND_PRINCIPAL}&$select=id,keyCredentials").json()["value"]

    keys = rows[0]["keyCredentials"]
    assert len(keys) == 2
    assert all(key["key"] is None and key["keyId"] for key in keys)


def test_one_object_shows_key_bytes_only_when_they_are_selected(clients: Clients) -> None:
    graph = clients.graph()
    with_select = graph.principal()
    without = graph.get(f"/servicePrincipals/{with_select['id']}").json()

    assert all(key["key"] for key in with_select["keyCredentials"])
    assert all(key["key"] is None for key in without["keyCredentials"])


def test_the_crm_principal_lacks_its_own_name_at_first(clients: Clients) -> None:
    names = clients.graph().principal()["servicePrincipalNames"]

    assert len(names) == 3
    assert CRM_APP_ID not in names


def test_one_key_is_expired_and_one_about_to_end(clients: Clients) -> None:
    ends = [key["endDateTime"] for key in clients.graph().principal()["keyCredentials"]]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    assert sorted(end > now for end in ends) == [False, True]


def test_an_unknown_property_is_refused(clients: Clients) -> None:
    answer = clients.graph().get("/servicePrincipals?$select=bogus")

    assert answer.status_code == 400
    assert "Could not find a property named 'bogus'" in answer.json()["error"]["message"]


def test_an_unknown_principal_is_not_found(clients: Clients) -> None:
    answer = clients.graph().get(f"/servicePrincipals/{uuid.uuid4()}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "Request_ResourceNotFound"


def test_a_user_is_found_by_any_of_its_addresses(clients: Clients) -> None:
    graph = grant(clients, "User.Read.All", "MailboxSettings.Read")
    query = "$filter=proxyAddresses/any(p:p eq 'smtp:sss.pilot@contoso.example')"

    rows = graph.get(f"/users?{query}&$select=id,mail").json()["value"]

    assert [row["mail"] for row in rows] == ["sss.pilot@contoso.example"]
    assert graph.get(f"/users/{rows[0]['id']}/mailboxSettings").status_code == 200


def test_a_user_without_a_mailbox_has_no_mailbox_settings(clients: Clients) -> None:
    graph = grant(clients, "User.Read.All", "MailboxSettings.Read")
    users = clients.sim.world("tenants", 0, "users")
    without = next(user for user in users if not user["has_exchange_plan"])

    answer = graph.get(f"/users/{without['id']}/mailboxSettings")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "MailboxNotEnabledForRESTAPI"


def test_users_come_in_pages(clients: Clients) -> None:
    graph = grant(clients, "User.Read.All")
    seen: list[str] = []
    path = "/users?$select=id&$top=70"
    while path:
        page = graph.get(path).json()
        seen += [row["id"] for row in page["value"]]
        path = page.get("@odata.nextLink", "").removeprefix(graph.root)

    assert len(seen) == len(set(seen)) == len(clients.sim.world("tenants", 0, "users"))


def test_global_administrators_can_be_listed(clients: Clients) -> None:
    graph = grant(clients, "RoleManagement.Read.Directory")
    role = "62e90394-69f5-4237-9190-012177145e10"

    rows = graph.get(f"/directoryRoles/roleTemplateId={role}/members").json()["value"]

    assert [row["displayName"] for row in rows] == ["Tom Okafor"]


def test_an_application_is_nobody(clients: Clients) -> None:
    assert clients.graph().get("/me").status_code == 400


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/organization", "Organization.Read.All"),
        ("/subscribedSkus", "Organization.Read.All"),
        (FIND_PRINCIPAL, "Application.Read.All"),
        ("/users", "User.Read.All"),
    ],
)
def test_each_read_needs_its_permission(clients: Clients, path: str, permission: str) -> None:
    assert grant(clients, permission).get(path).status_code == 200

    answer = grant(clients, "Mail.Read").get(path)

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Authorization_RequestDenied"


def test_without_a_token_nothing_is_told(clients: Clients) -> None:
    answer = clients.http().get(f"{clients.at['graph']}/v1.0/organization", timeout=10)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_a_malformed_token_is_refused(clients: Clients) -> None:
    answer = Graph(clients, "nonsense").get("/organization")

    assert answer.status_code == 401
    assert "CompactToken parsing failed" in answer.json()["error"]["message"]


def test_a_token_that_was_tampered_with_is_refused(clients: Clients) -> None:
    head, body, signature = clients.token()["access_token"].split(".")

    answer = Graph(clients, f"{head}.{body}.{signature[::-1]}").get("/organization")

    assert answer.status_code == 401


def test_an_expired_token_is_refused(clients: Clients) -> None:
    clients.sim.set_dial("entra/token_seconds", 0)

    answer = clients.graph().get("/organization")

    assert answer.status_code == 401
    assert "Lifetime validation failed" in answer.json()["error"]["message"]


def test_request_ids_come_back(clients: Clients) -> None:
    mine = str(uuid.uuid4())
    graph = clients.graph()

    good = graph.get("/organization", headers={"client-request-id": mine})
    bad = graph.get("/nothing", headers={"client-request-id": mine})

    assert good.headers["client-request-id"] == mine
    assert good.headers["request-id"]
    assert bad.json()["error"]["innerError"]["client-request-id"] == mine


def test_the_metadata_is_served(clients: Clients) -> None:
    answer = clients.graph().get("/$metadata")

    assert b'EntityType Name="servicePrincipal"' in answer.content
