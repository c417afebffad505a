from __future__ import annotations

import datetime as dt

import pytest

from portal.jobs.states import Verdict
from sync_setup import actions
from sync_setup.checks.endpoints import (
    ChangeRole,
    Clocks,
    Endpoint,
    ServersReachable,
    judge_clocks,
)
from sync_setup.gateways.crm_endpoint import ServerClock
from sync_setup.models import Deployment
from tests.checks.company import ASYNC, TOOLS, Company, expect

REACHABLE, ENDPOINT = ServersReachable(), Endpoint()
CHANGE_ROLE, CLOCKS = ChangeRole(), Clocks()


def _use_account(company: Company, role: str, password: str = "") -> None:
    account = company.simulator.addresses["winrm_user"][role]
    actions.set_deployment_access(
        company.organization.deployment,
        by=company.admin,
        crm_username="",
        crm_password="",
        winrm_username=account["username"],
        winrm_credential=password or account["password"],
        winrm_sign_in=Deployment.WinrmSignIn.NEGOTIATE,
    )


def _pin(company: Company, **hashes: str) -> None:
    """Register the hash of each server's module; the simulator's own where none is given."""
    for row in company.organization.deployment.servers.all():
        own = company.simulator.world("deployment", "servers", row.name, "module_sha256")
        row.module_sha256 = hashes.get(row.name.replace("-", "_"), own)
        row.save()


def test_every_server_answers(company: Company) -> None:
    found = expect(company.find(REACHABLE), Verdict.PASS, TOOLS, ASYNC)
    assert found.evidence[TOOLS].endswith("answers")


def test_a_server_that_is_down_blocks(company: Company) -> None:
    company.simulator.add_dial(where=f"winrm:{ASYNC}", fault="refused")
    found = expect(company.find(REACHABLE), Verdict.BLOCK, ASYNC)
    assert found.evidence[TOOLS].endswith("answers")


def test_a_refused_sign_in_blocks(company: Company) -> None:
    _use_account(company, "change", password="not the password")
    found = expect(company.find(REACHABLE), Verdict.BLOCK, TOOLS, ASYNC)
    assert "not the password" not in str(found)


def test_an_account_without_a_role_blocks(company: Company) -> None:
    _use_account(company, "none")
    expect(company.find(REACHABLE), Verdict.BLOCK)


def test_no_credential_blocks(company: Company) -> None:
    deployment = company.organization.deployment
    deployment.winrm_credential = None
    deployment.save()
    expect(company.find(REACHABLE), Verdict.BLOCK, "no credential")


def test_registered_modules_pass(company: Company) -> None:
    _pin(company)
    found = expect(company.find(ENDPOINT), Verdict.PASS)
    assert "gmsa-sss$" in found.evidence[TOOLS]


def test_an_unregistered_module_is_a_warning(company: Company) -> None:
    expect(company.find(ENDPOINT), Verdict.WARN, TOOLS, ASYNC)


def test_another_module_than_registered_blocks(company: Company) -> None:
    _pin(company, CRM_APP02="0" * 64)
    found = expect(company.find(ENDPOINT), Verdict.BLOCK, ASYNC, "another SssPortal module")
    assert "Install" in found.fix
    expect(company.find(REACHABLE), Verdict.PASS)


def test_different_modules_block(company: Company) -> None:
    company.arrange_server(ASYNC, module_sha256="AB" * 32)
    expect(company.find(ENDPOINT), Verdict.BLOCK, "not have the same")


def test_a_session_that_is_not_elevated_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, is_elevated=False)
    expect(company.find(ENDPOINT), Verdict.BLOCK, ASYNC)
    expect(company.find(REACHABLE), Verdict.PASS)


def test_a_32_bit_endpoint_blocks(company: Company) -> None:
    company.arrange_server(ASYNC, is_64_bit=False)
    found = expect(company.find(ENDPOINT), Verdict.BLOCK, ASYNC)
    assert "64-bit" in found.fix


def test_an_endpoint_that_answers_something_else_blocks(company: Company) -> None:
    company.simulator.add_dial(
        where=f"winrm:{ASYNC}", match="Get-SssServer", fault="garbled", times=-1
    )
    expect(company.find(ENDPOINT), Verdict.BLOCK, ASYNC)


def test_endpoints_that_cannot_be_asked_cannot_be_judged(company: Company) -> None:
    company.simulator.add_dial(where="winrm:*", fault="refused")
    expect(company.find(ENDPOINT), Verdict.CANNOT_CHECK)


def test_the_account_may_change(company: Company) -> None:
    found = expect(company.find(CHANGE_ROLE), Verdict.PASS)
    assert found.evidence == {TOOLS: "look and change", ASYNC: "look and change"}


def test_an_account_that_may_only_look_blocks(company: Company) -> None:
    _use_account(company, "look")
    found = expect(company.find(CHANGE_ROLE), Verdict.BLOCK, "only look", TOOLS, ASYNC)
    assert "-AllowChange" in found.fix
    expect(company.find(REACHABLE), Verdict.PASS)


def test_clocks_that_agree_pass(company: Company) -> None:
    found = expect(company.find(CLOCKS), Verdict.PASS)
    assert set(found.evidence) == {TOOLS, ASYNC, "database"}


@pytest.mark.parametrize(
    ("offset", "verdict"), [(20, Verdict.WARN), (-20, Verdict.WARN), (90, Verdict.BLOCK)]
)
def test_a_wrong_clock(company: Company, offset: int, verdict: Verdict) -> None:
    company.arrange_server(ASYNC, clock_offset_s=float(offset))
    found = expect(company.find(CLOCKS), verdict, ASYNC, "ahead of" if offset > 0 else "behind")
    assert "w32tm" in found.fix


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (5.0, Verdict.PASS),
        (-5.0, Verdict.PASS),
        (5.1, Verdict.WARN),
        (59.9, Verdict.WARN),
        (60.0, Verdict.BLOCK),
        (-60.0, Verdict.BLOCK),
    ],
)
def test_limits_of_the_clocks(seconds: float, verdict: Verdict) -> None:
    expect(judge_clocks({"database": seconds}), verdict)


def test_a_slow_answer_is_no_wrong_clock() -> None:
    noon = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)

    def clock(said: dt.datetime) -> float:
        return ServerClock(said, asked_at=noon, answered_at=noon + 10 * second).ahead_s

    assert clock(noon + 3 * second) == 0
    assert clock(noon + 12 * second) == 2
    assert clock(noon - 4 * second) == -4
