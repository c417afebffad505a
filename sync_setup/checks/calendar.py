"""The tenant's cloud, and the days after which nothing of this works any more."""

from __future__ import annotations

from portal.jobs.checks import Found
from sync_setup import ews
from sync_setup.checks import sources
from sync_setup.checks.findings import Findings, counted
from sync_setup.checks.readings import Readings
from sync_setup.checks.setup_check import CALENDAR, SetupCheck


class CloudKnown(SetupCheck):
    """Microsoft documents the setup for this cloud, and the CRM servers know its two values."""

    key = "cloud"
    title = "The tenant's cloud is one the CRM servers can be pointed at"
    group = CALENDAR
    source = sources.CONNECT

    def judge(self, seen: Readings) -> Found:
        cloud, findings = seen.context.cloud, Findings()
        findings.evidence = {
            "cloud": cloud.title,
            "authorization server": cloud.metadata_url,
            "Exchange Online": cloud.ews_url,
            "documented": cloud.documented,
        }
        choose = (
            "Choose the cloud worldwide, GCC or GCC High for the tenant, if that is where it is."
        )
        if not cloud.server_table:
            findings.block(
                f"Microsoft documents no server-side synchronization from on-premises for {cloud.title}",
                choose,
                "Otherwise ask Microsoft: the CRM servers accept no other authorization server.",
            )
        elif not cloud.documented:
            findings.warn(f"Microsoft does not document {cloud.title} for this setup", choose)
        return findings.found(f"{cloud.title} is documented for this setup.")


class EwsCalendar(SetupCheck):
    """Server-side synchronization from on-premises ends with EWS in Exchange Online."""

    key = "ews-calendar"
    title = "Exchange Web Services is still there"
    group = CALENDAR
    source = ews.END.source

    def judge(self, seen: Readings) -> Found:
        today, findings = seen.now.date(), Findings()
        left = ews.days_left(today)
        findings.evidence = {
            "EWS ends": ews.END.on.isoformat(),
            "days left": max(0, left),
            "off unless allowed since": ews.OFF_BY_DEFAULT.on.isoformat(),
            "read on": ews.END.read_on.isoformat(),
        }
        if left <= 0:
            findings.block(
                f"EWS ended on {ews.END.on}; nothing can be connected any more", *ews.WAYS_ON
            )
        elif ews.OFF_BY_DEFAULT.on <= today:
            findings.warn(
                f"EWS works for {counted(left, 'more day')}, and only in tenants that have allowed it",
                "Record that EWS is on and that Dynamics is on its allow list.",
                *ews.WAYS_ON,
            )
        else:
            findings.warn(
                f"EWS ends in {counted(left, 'day')}, and is off by default from {ews.OFF_BY_DEFAULT.on} on",
                f"Let an Exchange administrator allow Dynamics before {ews.OFF_BY_DEFAULT.on}.",
                *ews.WAYS_ON,
            )
        return findings.found("")
