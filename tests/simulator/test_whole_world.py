"""The whole procedure over the real protocols: Graph, PowerShell remoting, Web API, until green."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

from pypsrp.complex_objects import ObjectMeta
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from simulator.pki import Issued, Pki
from tests.simulator.clients import CRM_APP_ID, SALES, Clients
from tests.simulator.test_mailbox_tests import METADATA, alerts, run_test, statuses

TRANSPORT = "Transport-Password-1"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def issue(clients: Clients) -> Issued:
    """A new certificate by the company's own authority."""
    pki = Pki.load_or_create(Path(clients.at["ca"]).parent / "pki")
    start, end = NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=345)
    return pki.issue("crm-s2s-2026.contoso.example", start, end)


def add_key(clients: Clients, issued: Issued) -> None:
    graph = clients.graph()
    principal = graph.principal()
    kept = [
        {n: v for n, v in key.items() if n not in ("key", "displayName")}
        for key in principal["keyCredentials"]
    ]
    new = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": base64.b64encode(issued.der).decode(),
        "displayName": "CN=crm-s2s-2026.contoso.example",
    }
    names = [*principal["servicePrincipalNames"], CRM_APP_ID]
    assert graph.patch({"keyCredentials": [*kept, new]}).status_code == 204
    assert graph.patch({"servicePrincipalNames": names}).status_code == 204


def install(clients: Clients, server: str, roles: list[str], issued: Issued) -> None:
    """Install-SssCertificate with its SecureString, which needs keys of its own session."""
    port = next(s["port"] for s in clients.at["servers"] if s["name"] == server)
    user = clients.at["winrm_user"]["change"]
    with (
        WSMan(
            "localhost",
            port=port,
            ssl=True,
            auth="negotiate",
            username=user["username"],
            password=user["password"],
            cert_validation=str(clients.at["ca"]),  # type: ignore[arg-type]  # a path is fine
            no_proxy=True,
        ) as wsman,
        RunspacePool(wsman, configuration_name="SssPortal") as pool,
    ):
        pool.exchange_keys()
        shell = PowerShell(pool)
        shell.add_cmdlet("Install-SssCertificate")
        five = {
            "PortalId": "7c1b8f0e-3a52-4a6b-9f0d-2f4f6b1c0a11",
            "Epoch": 1,
            "Fence": 5,
            "OperationId": "0c0c0c0c-0000-4000-8000-00000000000" + server[-1],
            "Job": "J-1",
        }
        own = {
            "PfxBytes": issued.to_pfx(TRANSPORT),
            "TransportPassword": pool.serialize(TRANSPORT, ObjectMeta("SS")),
            "Thumbprint": issued.thumbprint_sha1,
            "Sha256": issued.sha256,
            "GrantRead": roles,
        }
        for name, value in {**five, **own}.items():
            shell.add_parameter(name, value)
        (answer,) = shell.invoke()
    assert '"Ok":true' in answer, answer


def test_the_procedure_step_by_step_until_the_pilot_is_green(clients: Clients) -> None:
    clients.sim.set_dial("crm/test_seconds", 0.05)
    issued, organization = issue(clients), clients.sim.world("deployment", "organizations", SALES)
    old = clients.sim.world("deployment", "token_issuer", "thumbprint")
    crm = clients.crm()
    pilot = crm.pilot()

    def missing() -> str | None:
        found = clients.sim.chain(SALES, pilot)
        return found["link"] if found else None

    crm.configure(pilot, crm.create_profile())
    assert missing() == "settings.principal"
    add_key(clients, issued)
    install(clients, "CRM-APP01", ["WebApplication"], issued)
    install(clients, "CRM-APP02", ["AsyncService"], issued)
    clients.change(
        "CRM-APP01",
        "Set-SssAuthorizationServer",
        Cloud="Global",
        ExpectPrincipalId="",
        ExpectMetadataUrl="",
    )
    clients.change(
        "CRM-APP01",
        "Set-SssTokenIssuer",
        CertificateBytes=issued.der,
        ExpectThumbprint=old,
    )
    clients.change(
        "CRM-APP01",
        "Set-SssOrganizationTenant",
        OrganizationId=organization["id"],
        UniqueName=SALES,
        TenantId=clients.at["tenant_id"],
        ExpectTenantId="",
    )
    # Everything is written, and still the service goes by what it read at its start.
    assert missing() == "settings.principal"
    assert statuses(run_test(crm, pilot)) == [2, 2, 2, 2]
    assert "S2SDefaultAuthorizationServerPrincipalId" in alerts(crm, pilot)[0]["text"]

    clients.change(
        "CRM-APP02",
        "Restart-SssService",
        Service="Async",
        OnlyIfStartedBeforeUtc=dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.999Z"),
    )

    assert missing() is None
    assert statuses(run_test(crm, pilot)) == [1, 1, 1, 1]
    systems = {entry["system"] for entry in clients.sim.ledger()}
    assert systems == {"graph", "winrm:CRM-APP01", "winrm:CRM-APP02", "crm"}
    assert clients.sim.world("deployment", "token_issuer")["sha256"] == issued.sha256
    assert clients.sim.world("deployment", "authorization_server_metadata_url") == METADATA
