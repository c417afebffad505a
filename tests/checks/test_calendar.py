from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings

from portal.jobs.states import Verdict
from sync_setup import ews
from sync_setup.checks.calendar import CloudKnown, EwsCalendar
from tests.checks.company import Company, expect

CLOUD, EWS = CloudKnown(), EwsCalendar()


def _noon(year: int, month: int, day: int) -> dt.datetime:
    return dt.datetime(year, month, day, 12, tzinfo=dt.UTC)


def _choose(company: Company, cloud: str) -> None:
    tenant = company.organization.tenant
    tenant.cloud = cloud
    tenant.save()


def test_a_documented_cloud_passes(company: Company) -> None:
    expect(company.find(CLOUD), Verdict.PASS, "Simulated Microsoft 365")


def test_gcc_high_is_documented(company: Company) -> None:
    _choose(company, "gcc-high")
    expect(company.find(CLOUD), Verdict.PASS, "GCC High")


def test_a_cloud_the_servers_do_not_know_blocks(company: Company) -> None:
    _choose(company, "china")
    expect(company.find(CLOUD), Verdict.BLOCK, "21Vianet")


def test_an_undocumented_cloud_is_a_warning(company: Company) -> None:
    file = Path(settings.CLOUDS_FILE)
    file.write_text(file.read_text().replace('"documented": true', '"documented": false'))
    expect(company.find(CLOUD), Verdict.WARN, "does not document")


def test_ews_is_a_warning_with_the_days_left(company: Company) -> None:
    found = expect(company.find_at(EWS, _noon(2026, 11, 23)), Verdict.WARN, "129 more days")
    assert found.evidence["EWS ends"] == "2027-04-01"
    assert found.evidence["days left"] == 129


def test_before_the_switch_the_warning_says_so(company: Company) -> None:
    expect(company.find_at(EWS, _noon(2026, 9, 30)), Verdict.WARN, "2026-10-01", "183 days")
    expect(company.find_at(EWS, _noon(2026, 10, 1)), Verdict.WARN, "182 more days", "allowed")


def test_after_the_end_nothing_goes(company: Company) -> None:
    expect(company.find_at(EWS, _noon(2027, 3, 31)), Verdict.WARN, "1 more day,")
    found = expect(company.find_at(EWS, _noon(2027, 4, 1)), Verdict.BLOCK, "ended")
    assert "Dynamics 365 online" in found.fix


def test_every_milestone_says_who_said_so_and_when() -> None:
    assert [milestone.on for milestone in ews.MILESTONES] == sorted(m.on for m in ews.MILESTONES)
    for milestone in ews.MILESTONES:
        assert milestone.source.startswith("https://learn.microsoft.com/")
        assert milestone.read_on >= dt.date(2026, 11, 23)
    assert ews.passed(dt.date(2026, 10, 1))[-1] is ews.OFF_BY_DEFAULT
    assert ews.passed(dt.date(2025, 9, 30)) == ()
