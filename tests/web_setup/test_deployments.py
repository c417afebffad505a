from __future__ import annotations

from typing import Any

import pytest

from portal.access.models import Person
from sync_setup.models import CrmServer, Deployment
from tests.web_setup.conftest import As
from tests.web_setup.world import Company

CANARY = "Canary-secret-77"
TENANT_ID = "6d1f3a5e-2b7c-4c8e-9a41-0f5b7d9e3c21"
PAGES = (
    *("/settings/", "/settings/tenants/new/", "/settings/deployments/new/"),
    *("/settings/organizations/new/", "/settings/deployments/contoso-crm/"),
)


def rows(*servers: dict[str, Any]) -> dict[str, Any]:
    """Server rows of the registration form, as a browser sends them."""
    sent: dict[str, Any] = {"servers-TOTAL_FORMS": len(servers), "servers-INITIAL_FORMS": 0}
    for number, server in enumerate(servers):
        sent |= {f"servers-{number}-{name}": value for name, value in server.items()}
    return sent


TOOLS = {"name": "CRM-APP01", "host": "localhost", "port": 5986, "tools": "on"}
OTHER = {"name": "CRM-APP02", "host": "localhost", "port": 5987}
DEPLOYMENT = {"name": "Fabrikam CRM", "web_api_url": "https://localhost:7443"}


def test_a_deployment_is_registered_with_its_servers(
    database_url: str, tom: Person, as_: As
) -> None:
    sent = DEPLOYMENT | rows(TOOLS, OTHER, {"name": "", "host": "", "port": 5986})

    answer = as_(tom).post("/settings/deployments/new/", sent)

    deployment = Deployment.objects.get()
    assert answer.headers["Location"] == "/settings/deployments/fabrikam-crm/"
    assert deployment.is_simulated
    found = {row.name: row.has_deployment_tools for row in deployment.servers.all()}
    assert found == {"CRM-APP01": True, "CRM-APP02": False}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (DEPLOYMENT | rows(OTHER), "exactly one that has the Deployment Tools"),
        (DEPLOYMENT | rows(TOOLS, OTHER | {"tools": "on"}), "exactly one that has"),
        (DEPLOYMENT | rows(TOOLS | {"host": ""}), "Give both name and host."),
        (DEPLOYMENT | rows(TOOLS | {"name": "CRM'; DROP--"}), "is no name of a server"),
        (DEPLOYMENT | rows(TOOLS | {"host": "169.254.169.254"}), "link-local"),
        (DEPLOYMENT | rows(TOOLS | {"port": 70000}), "less than or equal to 65535"),
        (DEPLOYMENT | {"web_api_url": "http://crm.example"} | rows(TOOLS), "Only https"),
        (DEPLOYMENT | {"web_api_url": "https://u:p@crm.example"} | rows(TOOLS), "nothing else"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused_and_what_was_typed_stays(
    database_url: str, tom: Person, as_: As, sent: dict[str, Any], words: str
) -> None:
    answer = as_(tom).post("/settings/deployments/new/", sent)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'value="Fabrikam CRM"' in page
    assert not Deployment.objects.exists()
    assert not CrmServer.objects.exists()


def test_more_rows_come_without_javascript_and_nothing_typed_is_lost(
    database_url: str, tom: Person, as_: As
) -> None:
    sent = DEPLOYMENT | rows(TOOLS, OTHER) | {"more": "1"}

    answer = as_(tom).post("/settings/deployments/new/", sent)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="servers-4-name"' in page
    assert 'value="CRM-APP02"' in page
    assert 'value="Fabrikam CRM"' in page
    assert not Deployment.objects.exists()


def test_accounts_are_sealed_kept_when_left_empty_and_never_shown(
    company: Company, tom: Person, as_: As
) -> None:
    page, browser = "/settings/deployments/contoso-crm/", as_(tom)
    sent = {
        "crm_username": "CONTOSO\\svc-crm",
        "crm_password": CANARY,
        "winrm_sign_in": "negotiate",
        "winrm_username": "CONTOSO\\svc-winrm",
        "winrm_password": f"{CANARY}-2",
    }
    browser.post(page, sent)
    company.deployment.refresh_from_db()
    first = (company.deployment.crm_password_id, company.deployment.winrm_credential_id)

    browser.post(
        page, sent | {"crm_username": "CONTOSO\\x", "crm_password": "", "winrm_password": ""}
    )

    company.deployment.refresh_from_db()
    shown = browser.get(page).content.decode()
    assert None not in first
    assert (company.deployment.crm_password_id, company.deployment.winrm_credential_id) == first
    assert company.deployment.crm_username == "CONTOSO\\x"
    assert CANARY not in shown


def test_a_server_that_get_crmserver_names_can_be_added(
    company: Company, tom: Person, as_: As
) -> None:
    page, browser = "/settings/deployments/contoso-crm/servers/", as_(tom)
    sent = {"new-name": "CRM-APP03", "new-host": "localhost", "new-port": 5988}

    answer = browser.post(page, sent)
    again = browser.post(page, sent)

    assert answer.status_code == 302
    assert company.deployment.servers.filter(name="CRM-APP03", port=5988).exists()
    assert again.status_code == 422
    assert "CRM-APP03 is registered already." in again.content.decode()


def test_the_module_of_a_server_is_pinned_by_its_hash(
    company: Company, tom: Person, as_: As
) -> None:
    server = company.deployment.servers.get(name="CRM-APP02")
    page, prefix = f"/settings/deployments/contoso-crm/servers/{server.pk}/", f"server-{server.pk}"
    browser = as_(tom)

    def send(digits: str) -> int:
        fields = {"host": "localhost", "port": 5990, "module_sha256": digits}
        sent = {f"{prefix}-{name}": value for name, value in fields.items()}
        return int(browser.post(page, sent).status_code)

    assert send("12 34") == 422
    assert send("ab" * 32) == 302

    server.refresh_from_db()
    assert (server.port, server.module_sha256) == (5990, "AB" * 32)
