"""Test & Enable: green only when every link of the chain is in place, else the alert names it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.clients import CRM_APP_ID, PRINCIPAL, SALES, SERVICE, TENANT, Clients, Crm

DEPLOYMENT = "deployment"
WEB, ASYNC = f"{DEPLOYMENT}/servers/CRM-APP01", f"{DEPLOYMENT}/servers/CRM-APP02"
ASYNC_SERVICE = f"{ASYNC}/services/MSCRMAsyncService"
ACS = "00000001-0000-0000-c000-000000000000"
METADATA = "https://accounts.accesscontrol.windows.net/metadata/json/1"
STATUSES = ("incomingemailstatus", "outgoingemailstatus", "actstatus", "mailboxstatus")
FIELDS = ",".join((*STATUSES, "testemailconfigurationscheduled", "testmailboxaccesscompletedon"))


def complete(clients: Clients) -> tuple[Crm, str]:
    """Put every link in place, by hand and with the older certificate; the pilot mailbox."""
    sim, tenant_id = clients.sim, clients.at["tenant_id"]
    sim.set_dial("crm/test_seconds", 0.05)
    sim.set_world(f"{PRINCIPAL}/names/-", CRM_APP_ID)
    sim.set_world(f"{DEPLOYMENT}/authorization_server_principal_id", ACS)
    sim.set_world(f"{DEPLOYMENT}/authorization_server_metadata_url", METADATA)
    organizations = sim.world("deployment", "organizations")
    for name in (SALES, SERVICE):
        sim.set_world(f"{DEPLOYMENT}/organizations/{name}/tenant_id", tenant_id)
    restart(clients, {o["id"]: tenant_id for o in organizations})
    crm = clients.crm()
    pilot = crm.pilot()
    crm.configure(pilot, crm.create_profile())
    return crm, pilot


def restart(clients: Clients, tenant_ids: dict[str, str]) -> None:
    """Let the asynchronous service load what the configuration database says now."""
    deployment = clients.sim.world("deployment")
    clients.sim.set_world(
        f"{ASYNC_SERVICE}/loaded",
        {
            "token_issuer_thumbprint": deployment["token_issuer"]["thumbprint"],
            "authorization_server_principal_id": deployment["authorization_server_principal_id"],
            "authorization_server_metadata_url": deployment["authorization_server_metadata_url"],
            "tenant_ids": tenant_ids,
        },
    )


def run_test(crm: Crm, mailbox: str, **more: Any) -> dict[str, Any]:
    """Schedule the test of a mailbox and wait for its end; the record."""
    body = {"testemailconfigurationscheduled": True, **more}
    assert crm.patch(f"mailboxes({mailbox})", body).status_code == 204
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        row: dict[str, Any] = crm.get(f"mailboxes({mailbox})?$select={FIELDS}").json()
        if not row["testemailconfigurationscheduled"]:
            return row
        time.sleep(0.02)
    raise AssertionError("the mailbox test did not end")


def statuses(row: dict[str, Any]) -> list[int]:
    return [row[name] for name in STATUSES]


def alerts(crm: Crm, mailbox: str) -> list[dict[str, Any]]:
    path = f"tracelogs?$select=level,text,machinename&$filter=_regardingobjectid_value eq {mailbox}"
    return crm.rows(f"{path}&$orderby=createdon desc")


def test_with_everything_in_place_all_three_results_are_green(clients: Clients) -> None:
    crm, pilot = complete(clients)
    assert clients.sim.chain(SALES, pilot) is None

    row = run_test(crm, pilot)

    assert statuses(row) == [1, 1, 1, 1]
    assert row["testmailboxaccesscompletedon"]
    assert [alert["level"] for alert in alerts(crm, pilot)] == [1]
    tested = [e for e in clients.sim.ledger() if e["effect"] == "mailbox.tested"]
    assert len(tested) == 1
    assert tested[0]["missing"] is None


def test_in_the_world_of_the_start_nothing_is_green(clients: Clients) -> None:
    clients.sim.set_dial("crm/test_seconds", 0.05)
    crm = clients.crm()
    pilot = crm.pilot()
    crm.configure(pilot, crm.create_profile())

    assert statuses(run_test(crm, pilot)) == [2, 2, 2, 2]


def test_only_chosen_methods_are_tested(clients: Clients) -> None:
    crm, pilot = complete(clients)
    crm.patch(f"mailboxes({pilot})", {"actdeliverymethod": 2})

    assert statuses(run_test(crm, pilot)) == [1, 1, 0, 1]


def test_the_old_result_stands_until_the_new_one_is_there(clients: Clients) -> None:
    crm, pilot = complete(clients)
    clients.sim.set_dial("crm/test_seconds", 0.5)

    crm.patch(f"mailboxes({pilot})", {"testemailconfigurationscheduled": True})

    row = crm.get(f"mailboxes({pilot})?$select={FIELDS}").json()
    assert row["testemailconfigurationscheduled"] is True
    assert statuses(row) == [0, 0, 0, 0]


Arrange = Callable[[Clients, Crm, str], object]


def world(path: str, value: Any) -> Arrange:
    return lambda clients, crm, pilot: clients.sim.set_world(path, value)


def gone(path: str) -> Arrange:
    return lambda clients, crm, pilot: clients.sim.remove_from_world(path)


def mailbox(**body: Any) -> Arrange:
    return lambda clients, crm, pilot: crm.patch(f"mailboxes({pilot})", body)


def profile(**body: Any) -> Arrange:
    def arrange(clients: Clients, crm: Crm, pilot: str) -> None:
        path = f"mailboxes({pilot})?$select=_emailserverprofile_value"
        used = crm.get(path).json()["_emailserverprofile_value"]
        assert crm.patch(f"emailserverprofiles({used})", body).status_code == 204

    return arrange


def twin(clients: Clients, crm: Crm, pilot: str) -> None:
    """A second certificate with the subject of the token issuer in the store."""
    certificate = clients.sim.world("deployment", "servers", "CRM-APP02", "certificates", 0)
    other = certificate | {"thumbprint": "F" * 40, "sha256": "F" * 64}
    clients.sim.set_world(f"{ASYNC}/certificates/-", other)


def unread(server: str) -> Arrange:
    def arrange(clients: Clients, crm: Crm, pilot: str) -> None:
        readers = clients.sim.world(*server.split("/"), "certificates", 0, "key_readers")
        kept = [reader for reader in readers if "CONTOSO" not in reader["account"]]
        clients.sim.set_world(f"{server}/certificates/0/key_readers", kept)

    return arrange


CERTIFICATE = f"{ASYNC}/certificates/0"
EXCHANGE = f"{TENANT}/exchange"
PILOT_BOX = f"{EXCHANGE}/mailboxes/sss.pilot@contoso.example"

LINKS: list[tuple[str, Arrange, str]] = [
    ("mailbox.active", mailbox(statecode=1), r"MailboxDisabled"),
    ("mailbox.approval", mailbox(emailrouteraccessapproval=2), r"email address .*is not approved"),
    (
        "profile.bound",
        mailbox(**{"emailserverprofile@odata.bind": None}),
        r"does not have an email server profile associated",
    ),
    ("profile.active", profile(statecode=1), r"InvalidIncomingEmailServerProfile\b"),
    (
        "profile.type",
        profile(servertype=2),
        r"credentials specified in the associated email server",
    ),
    (
        "profile.location",
        profile(incomingserverlocation="https://mail.contoso.example/EWS/Exchange.asmx"),
        r"InvalidIncomingEmailServerProfileConfiguration HostNotFound",
    ),
    (
        "profile.tenant",
        profile(usedefaulttenantid=False, exchangeonlinetenantid="b3c9e1d7"),
        r"tenant.{0,80}does not match",
    ),
    (
        "server.egress",
        world(f"{ASYNC}/unreachable_hosts", ["outlook.office365.com"]),
        r"Web server returned ConnectFailure exception",
    ),
    (
        "server.tls",
        world(f"{ASYNC}/intercepted_hosts", ["login.microsoftonline.com"]),
        r"Could not establish trust relationship for the SSL/TLS secure channel",
    ),
    (
        "issuer.row",
        world(f"{ASYNC_SERVICE}/loaded/token_issuer_thumbprint", ""),
        r"No certificate found with CertificateType 'S2STokenIssuer'",
    ),
    (
        "settings.principal",
        world(f"{ASYNC_SERVICE}/loaded/authorization_server_principal_id", ""),
        r"(?i)acquiring\s.{0,120}token\s+from\s+ACS\s+has\s+failed",
    ),
    (
        "settings.metadata",
        world(f"{ASYNC_SERVICE}/loaded/authorization_server_metadata_url", ""),
        r"S2SDefaultAuthorizationServerMetadataUrl",
    ),
    ("settings.tenant", world(f"{ASYNC_SERVICE}/loaded/tenant_ids", {}), r"S2STenantId is not set"),
    ("server.certificate", gone(CERTIFICATE), r"(?m)Private key not found\s*$"),
    ("server.subject", twin, r"(?m)Private key not found\s*$"),
    ("server.subject", world(f"{CERTIFICATE}/archived", True), r"Private key not found"),
    ("server.keyspec", world(f"{CERTIFICATE}/key_spec", 2), r"Invalid provider type specified"),
    ("server.keyspec", world(f"{CERTIFICATE}/key_storage", "Cng"), r"KeySpec\s*[:=]\s*"),
    ("server.reader", unread(ASYNC), r"Keyset does not exist"),
    ("web.reader", unread(WEB), r"CrmAppPool.*Keyset does not exist"),
    ("web.certificate", gone(f"{WEB}/certificates/0"), r"Private key not found"),
    (
        "certificate.dates",
        world(f"{CERTIFICATE}/not_after", "2026-01-01T00:00:00.000Z"),
        r"outside its validity",
    ),
    ("entra.principal", gone(PRINCIPAL), r"was not found in tenant"),
    ("entra.principal", world(f"{PRINCIPAL}/is_enabled", False), r"was not found in tenant"),
    ("entra.name", gone(f"{PRINCIPAL}/names/{CRM_APP_ID}"), r"principal name"),
    ("entra.key", gone(f"{PRINCIPAL}/keys/1"), r"AADSTS700027\b"),
    ("entra.key", world(f"{PRINCIPAL}/keys/1/end", "2026-01-01T00:00:00Z"), r"AADSTS700027\b"),
    ("server.clock", world(f"{ASYNC}/clock_offset_s", 900.0), r'error="invalid_token"'),
    (
        "exchange.switch",
        world(f"{EXCHANGE}/is_crm_allowed", False),
        r'trusted_issuers="00000001-0000-0000-c000-000000000000@\*".*error="invalid_token"',
    ),
    (
        "exchange.ews",
        world(f"{EXCHANGE}/ews_enabled", False),
        r"EWS is disabled for this user or tenant",
    ),
    (
        "exchange.allowlist",
        world(f"{EXCHANGE}/ews_allowed_app_ids", ""),
        r"EWS is blocked by policy for this user or tenant",
    ),
    ("exchange.mailbox", gone(PILOT_BOX), r"The SMTP address has no mailbox associated with it"),
    (
        "exchange.mailbox_ews",
        world(f"{PILOT_BOX}/is_ews_enabled", False),
        r"EWS is disabled for this user or tenant",
    ),
]


@pytest.mark.parametrize(
    ("link", "arrange", "pattern"), LINKS, ids=[f"{n}-{case[0]}" for n, case in enumerate(LINKS)]
)
def test_one_missing_link_is_enough_and_is_named(
    clients: Clients, link: str, arrange: Arrange, pattern: str
) -> None:
    crm, pilot = complete(clients)
    arrange(clients, crm, pilot)

    row = run_test(crm, pilot)

    assert statuses(row) == [2, 2, 2, 2]
    (alert,) = [a for a in alerts(crm, pilot) if a["level"] == 3]
    assert re.search(pattern, alert["text"]), alert["text"]
    tested = [e for e in clients.sim.ledger() if e["effect"] == "mailbox.tested"]
    assert tested[-1]["missing"] == link


def test_settings_are_cached_until_the_service_restarts(clients: Clients) -> None:
    crm, pilot = complete(clients)
    clients.sim.set_world(f"{DEPLOYMENT}/token_issuer", None)
    clients.sim.set_world(f"{DEPLOYMENT}/authorization_server_metadata_url", "")

    assert statuses(run_test(crm, pilot)) == [1, 1, 1, 1]


def test_nothing_ends_while_no_async_service_runs(clients: Clients) -> None:
    crm, pilot = complete(clients)
    clients.sim.set_world(f"{ASYNC_SERVICE}/state", "Stopped")
    crm.patch(f"mailboxes({pilot})", {"testemailconfigurationscheduled": True})
    time.sleep(0.5)
    assert crm.get(f"mailboxes({pilot})?$select={FIELDS}").json()["testemailconfigurationscheduled"]

    clients.sim.set_world(f"{ASYNC_SERVICE}/state", "Running")

    assert statuses(run_test(crm, pilot)) == [1, 1, 1, 1]


def test_the_email_router_switch_lets_nothing_start(clients: Clients) -> None:
    crm, pilot = complete(clients)
    organization = crm.rows("organizations?$select=name")[0]["organizationid"]
    crm.patch(f"organizations({organization})", {"emailconnectionchannel": 1})

    crm.patch(f"mailboxes({pilot})", {"testemailconfigurationscheduled": True})
    time.sleep(0.5)

    assert crm.get(f"mailboxes({pilot})?$select={FIELDS}").json()["testemailconfigurationscheduled"]


def test_act_belongs_to_one_organization(clients: Clients) -> None:
    crm, pilot = complete(clients)
    other = clients.sim.world("deployment", "organizations", SERVICE, "id")
    clients.sim.set_world(f"{PILOT_BOX}/synchronizing_organization", other)

    assert statuses(run_test(crm, pilot)) == [1, 1, 2, 2]
    (alert,) = [a for a in alerts(crm, pilot) if a["level"] == 3]
    assert re.search(r"configured\s+(with|for)\s+another\s.{0,60}organization", alert["text"])

    row = run_test(crm, pilot, orgmarkedasprimaryforexchangesync=True)

    assert statuses(row) == [1, 1, 1, 1]
    owner = clients.sim.world(*PILOT_BOX.split("/"), "synchronizing_organization")
    assert owner == clients.sim.world("deployment", "organizations", SALES, "id")


def test_a_few_mailboxes_are_tested_at_a_time(clients: Clients) -> None:
    crm, _ = complete(clients)
    clients.sim.set_dial("crm/tests_at_once", 2)
    clients.sim.set_dial("crm/test_seconds", 0.3)
    rows = crm.rows("mailboxes?$select=name&$filter=mailboxstatus eq 0&$top=6")
    started = time.monotonic()
    for row in rows:
        body = {"testemailconfigurationscheduled": True}
        crm.patch(f"mailboxes({row['mailboxid']})", body)

    for row in rows:
        run_until_done(crm, row["mailboxid"])

    assert time.monotonic() - started >= 0.9


def run_until_done(crm: Crm, mailbox_id: str) -> None:
    deadline = time.monotonic() + 15
    path = f"mailboxes({mailbox_id})?$select=testemailconfigurationscheduled"
    while crm.get(path).json()["testemailconfigurationscheduled"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_cycle_after_the_test_synchronizes_or_warns(clients: Clients) -> None:
    crm, pilot = complete(clients)
    clients.sim.set_dial("crm/cycle_seconds", 0.2)
    run_test(crm, pilot)
    path = f"mailboxes({pilot})?$select=lastsuccessfulsynccompletedon,mailboxstatus"
    wait_for(lambda: crm.get(path).json()["lastsuccessfulsynccompletedon"])
    assert [alert["level"] for alert in alerts(crm, pilot)] == [1]

    clients.sim.set_world(f"{EXCHANGE}/ews_enabled", False)

    wait_for(lambda: crm.get(path).json()["mailboxstatus"] == 2)
    assert [a["level"] for a in alerts(crm, pilot) if a["level"] == 3] == [3]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
