from __future__ import annotations

import datetime as dt

from simulator.deployment import Deployment
from simulator.json_state import from_json, to_json
from tests.simulator.crm_servers.conftest import ASYNC, TOOLS, Crm


def test_the_old_certificate_is_the_token_issuer_everywhere_and_ends_soon(crm: Crm) -> None:
    deployment, old = crm.deployment, crm.company.old

    assert deployment.token_issuer is not None
    assert deployment.token_issuer.thumbprint == old.thumbprint_sha1
    for name, role in ((TOOLS, "WebApplication"), (ASYNC, "AsyncService")):
        server = deployment.server(name)
        certificate = server.certificate(old.thumbprint_sha1)
        account = server.reader_account(role)  # type: ignore[arg-type]
        assert certificate is not None
        assert account is not None
        assert certificate.is_read_by(account.account)
        assert server.found_by_subject(certificate.subject) == [certificate]
    left = old.certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=14) < left < dt.timedelta(days=28)


def test_running_services_go_by_the_settings_of_the_start(crm: Crm) -> None:
    deployment = crm.deployment
    services = [s for server in deployment.servers for s in server.services + server.app_pools]

    assert {service.service for service in services} == {
        "Async",
        "AsyncMaintenance",
        "WebApplicationPool",
    }
    assert all(service.loaded == deployment.snapshot() for service in services)
    assert deployment.snapshot().authorization_server_principal_id == ""
    assert [o.tenant_id for o in deployment.organizations] == [None, None]


def test_the_web_server_is_no_async_server_and_the_other_way_round(crm: Crm) -> None:
    deployment = crm.deployment

    assert [s.name for s in deployment.servers_in_role("Async")] == [ASYNC]
    assert [s.name for s in deployment.servers_in_role("DeploymentTools")] == [TOOLS]
    assert deployment.server(ASYNC).reader_account("WebApplication") is None


def test_the_state_is_json_and_comes_back_the_same(crm: Crm) -> None:
    assert from_json(Deployment, to_json(crm.deployment)) == crm.deployment
