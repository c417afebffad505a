from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from typing import Any

from django.db.models import CharField

from portal.jobs.checks import Found
from portal.jobs.models import CheckResult
from portal.jobs.preparation import STOPPING
from portal.jobs.states import Verdict
from sync_setup import actions
from sync_setup.checks import CONNECT_CHECKS
from sync_setup.checks.setup_check import ANSWERS
from sync_setup.rehearsal import simulated
from tests.checks.company import ASYNC, PILOT, TOOLS, Company, expect, found_by


def _all(company: Company) -> dict[str, Found]:
    """Every check on one context, as a job runs them."""
    with company.context() as context:
        return {check.key: found_by(check, context) for check in CONNECT_CHECKS}


def _stopping(found: dict[str, Found]) -> list[str]:
    return [key for key, one in found.items() if one.verdict in STOPPING]


def test_the_checks_fit_their_rows() -> None:
    assert len(CONNECT_CHECKS) >= 25
    assert len({check.key for check in CONNECT_CHECKS}) == len(CONNECT_CHECKS)
    for check in CONNECT_CHECKS:
        assert check.source, check.key
        assert check.__doc__, check.key
        for name in ("key", "group", "title", "source"):
            column = CheckResult._meta.get_field(name)
            assert isinstance(column, CharField)
            assert len(getattr(check, name)) <= (column.max_length or 0), check.key


def test_groups_stand_together_and_recorded_answers_come_last() -> None:
    groups = [group for group, _ in groupby(check.group for check in CONNECT_CHECKS)]
    assert len(groups) == len(set(groups))
    assert groups[-1] == ANSWERS


def test_on_the_first_day_nothing_but_answers_of_people_is_missing(company: Company) -> None:
    found = _all(company)
    assert _stopping(found) == ["ews-allow-list", "exchange-support-switch"]
    assert company.effects() == []


def test_with_all_answers_nothing_stops(company: Company) -> None:
    simulated.record_good_answers(company.organization, by=company.requester)
    company.inputs["profile_owner"] = PILOT
    found = _all(company)
    assert _stopping(found) == []
    for one in found.values():
        expect(one, one.verdict)
    warnings = [key for key, one in found.items() if one.verdict == Verdict.WARN]
    assert warnings == ["ews-calendar", "crm-principal-keys", "endpoint", "claims"]
    assert company.effects() == []


def test_each_thing_is_read_once(company: Company) -> None:
    """Two servers, a tenant and an organization cost a few dozen requests, whatever the number of checks."""
    _all(company)
    calls = company.simulator.calls()
    functions = Counter(f"{c['system']} {c['path']}" for c in calls if c["method"] == "INVOKE")
    assert functions[f"winrm:{ASYNC} Get-SssCertificate"] == 1
    # Once to prove the endpoint, once for its clock.
    assert functions[f"winrm:{ASYNC} Get-SssServer"] == 2
    # The deployment as a whole, and once for the tenant id of each organization.
    assert functions[f"winrm:{TOOLS} Get-SssDeployment"] == 3


def test_while_checks_block_nothing_is_written(company: Company) -> None:
    company.arrange_server(ASYNC, unreachable_hosts=["outlook.office365.com"], clock_offset_s=300.0)
    company.simulator.set_dial(f"winrm:{TOOLS}/virtual_account", True)
    company.simulator.remove_from_world("tenants/0/skus/0")
    company.arrange("tenants/0/principals/0/is_enabled", False)
    company.arrange_organization_record(emailconnectionchannel=1)
    company.inputs["pilot"] = ""
    found = _all(company)
    blocked = {key for key, one in found.items() if one.verdict == Verdict.BLOCK}
    assert blocked >= {
        "async-egress",
        "clocks",
        "deployment-administrator",
        "hybrid-connector",
        "crm-principal",
        "email-channel",
        "pilot-mailbox",
    }
    assert company.effects() == []


def test_with_everything_down_every_check_still_answers(company: Company) -> None:
    for where in ("winrm:*", "crm", "entra", "graph"):
        company.simulator.add_dial(where=where, fault="refused")
    found = _all(company)
    for key, one in found.items():
        expect(one, one.verdict)
        assert key in (
            "cloud",
            "ews-calendar",
            "certificate-fit",
            "certificate-validity",
            "other-jobs",
        ) or (one.verdict in STOPPING), (key, one)
    assert company.effects() == []


def test_a_wrong_password_is_tried_once(company: Company) -> None:
    """A run of the checks must not lock the portal's account out."""
    deployment = company.organization.deployment
    actions.set_deployment_access(
        deployment,
        by=company.admin,
        crm_username=deployment.crm_username,
        crm_password="not the password",
        winrm_username=deployment.winrm_username,
        winrm_credential="",
    )
    assert _all(company)["web-api"].verdict == Verdict.BLOCK
    calls = [call for call in company.simulator.calls() if call["system"] == "crm"]
    # What one try takes: asking how to sign in, and the messages of Negotiate.
    assert 0 < len(calls) <= 4, calls


def test_no_secret_is_in_what_the_checks_found(company: Company) -> None:
    text = json.dumps(
        [(one.finding, one.evidence, one.fix) for one in _all(company).values()], default=str
    )
    for secret in _secrets(company.simulator.addresses):
        assert secret not in text


def _secrets(addresses: Any) -> list[str]:
    """Passwords and client secrets of the simulated company."""
    if isinstance(addresses, dict):
        own = [v for k, v in addresses.items() if k in ("password", "client_secret") and v]
        return own + [secret for value in addresses.values() for secret in _secrets(value)]
    if isinstance(addresses, list):
        return [secret for value in addresses for secret in _secrets(value)]
    return []
