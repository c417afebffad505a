from __future__ import annotations

from portal.jobs.states import Verdict
from sync_setup.checks.services import PendingReboot, ServiceAccounts, ServicesRunning
from tests.checks.company import ASYNC, TOOLS, Company, expect

ACCOUNTS, RUNNING, REBOOT = ServiceAccounts(), ServicesRunning(), PendingReboot()
ASYNC_SERVICE = f"deployment/servers/{ASYNC}/services/MSCRMAsyncService"
MAINTENANCE = f"deployment/servers/{ASYNC}/services/MSCRMAsyncService$maintenance"
POOL = f"deployment/servers/{TOOLS}/app_pools/CRMAppPool"


def test_both_accounts_are_known(company: Company) -> None:
    found = expect(company.find(ACCOUNTS), Verdict.PASS)
    assert found.evidence == {
        f"{TOOLS}, CRMAppPool": "CONTOSO\\svc-crmweb (User)",
        f"{ASYNC}, MSCRMAsyncService": "CONTOSO\\svc-crmasync (User)",
    }


def test_a_built_in_account_is_a_warning(company: Company) -> None:
    company.arrange(f"{ASYNC_SERVICE}/account", "NT AUTHORITY\\NETWORK SERVICE")
    company.arrange(f"{ASYNC_SERVICE}/account_kind", "BuiltIn")
    expect(company.find(ACCOUNTS), Verdict.WARN, "NETWORK SERVICE", "share")


def test_a_persons_account_is_a_warning(company: Company) -> None:
    person = company.table("systemuser")[company.pilot_user_id]
    company.arrange(f"{POOL}/account", person["domainname"])
    expect(company.find(ACCOUNTS), Verdict.WARN, "SSS Pilot")
    company.arrange_user(company.pilot_user_id, isdisabled=True)
    expect(company.find(ACCOUNTS), Verdict.PASS)


def test_accounts_are_judged_without_dynamics_too(company: Company) -> None:
    company.simulator.add_dial(where="crm", fault="status", status=503, times=-1)
    expect(company.find(ACCOUNTS), Verdict.PASS)


def test_an_unresolved_account_blocks(company: Company) -> None:
    company.arrange(f"{ASYNC_SERVICE}/account", "")
    company.arrange(f"{ASYNC_SERVICE}/sid", "")
    expect(company.find(ACCOUNTS), Verdict.BLOCK, ASYNC)


def test_a_missing_service_blocks(company: Company) -> None:
    company.simulator.remove_from_world(ASYNC_SERVICE)
    expect(company.find(ACCOUNTS), Verdict.BLOCK, "no MSCRMAsyncService")
    expect(company.find(RUNNING), Verdict.BLOCK, "MSCRMAsyncService is missing")


def test_every_service_runs(company: Company) -> None:
    found = expect(company.find(RUNNING), Verdict.PASS)
    assert len(found.evidence) == 3


def test_a_stopped_service_blocks(company: Company) -> None:
    company.arrange(f"{MAINTENANCE}/state", "Stopped")
    expect(company.find(RUNNING), Verdict.BLOCK, "maintenance", "Stopped")


def test_a_stopped_application_pool_blocks(company: Company) -> None:
    company.arrange(f"{POOL}/state", "Stopped")
    expect(company.find(RUNNING), Verdict.BLOCK, "CRMAppPool")


def test_a_disabled_service_blocks(company: Company) -> None:
    company.arrange(f"{ASYNC_SERVICE}/start_mode", "Disabled")
    expect(company.find(RUNNING), Verdict.BLOCK, "disabled")


def test_a_service_started_by_hand_is_a_warning(company: Company) -> None:
    company.arrange(f"{ASYNC_SERVICE}/start_mode", "Manual")
    expect(company.find(RUNNING), Verdict.WARN, "start with Windows")


def test_no_reboot_is_due(company: Company) -> None:
    expect(company.find(REBOOT), Verdict.PASS)


def test_a_reboot_that_is_due_is_a_warning(company: Company) -> None:
    company.arrange_server(ASYNC, pending_reboot=True)
    expect(company.find(REBOOT), Verdict.WARN, f"{ASYNC} waits")
    company.arrange_server(TOOLS, pending_reboot=True)
    expect(company.find(REBOOT), Verdict.WARN, f"{TOOLS} and {ASYNC} wait")


def test_an_unreachable_server_cannot_be_judged(company: Company) -> None:
    company.simulator.add_dial(where=f"winrm:{ASYNC}", fault="refused")
    for check in (ACCOUNTS, RUNNING, REBOOT):
        expect(company.find(check), Verdict.CANNOT_CHECK, ASYNC)
