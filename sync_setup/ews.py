"""The end of Exchange Web Services (EWS) in Exchange Online, as data: every day that counts, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Milestone:
    """A day from which something is different.

    :ivar meaning: what is so from that day on.
    :ivar read_on: the day on which the source said this; Microsoft has moved such days before.
    """

    on: date
    meaning: str
    source: str
    read_on: date


_CONNECT = (
    "https://learn.microsoft.com/dynamics365/customerengagement/on-premises/admin/"
    "connect-dynamics-365-on-premises-exchange-online"
)
_EXCHANGE = (
    "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
    "deprecation-of-ews-exchange-online"
)

NO_NEW_TENANTS = Milestone(
    date(2025, 10, 1),
    "Exchange Online lets no new tenant connect from Dynamics 365 on-premises.",
    _CONNECT,
    date(2026, 11, 23),
)
VERSION_8_ENDS = Milestone(
    date(2026, 5, 25),
    "Microsoft supports Dynamics 365 8.x on-premises with Exchange Online no more.",
    _CONNECT,
    date(2026, 11, 23),
)
OFF_BY_DEFAULT = Milestone(
    date(2026, 10, 1),
    "EWS is switched off, tenant by tenant, unless EwsEnabled is True and the list of allowed apps "
    "is not empty.",
    _EXCHANGE,
    date(2026, 11, 23),
)
END = Milestone(
    date(2027, 4, 1),
    "EWS is off in Exchange Online for everybody, without exception; with it ends server-side "
    "synchronization from Dynamics 365 on-premises.",
    _CONNECT,
    date(2026, 11, 23),
)
MILESTONES = (NO_NEW_TENANTS, VERSION_8_ENDS, OFF_BY_DEFAULT, END)

# What Microsoft names as the ways on.
WAYS_ON = (
    "Move the organization to Dynamics 365 online, which does not use EWS.",
    "Or move the mailboxes to a supported Exchange Server on-premises.",
)


def days_left(today: date) -> int:
    """Give the days on which EWS still works, today included; 0 or less: it is over."""
    return (END.on - today).days


def passed(today: date) -> tuple[Milestone, ...]:
    """Give the milestones that have been reached, the oldest first."""
    return tuple(milestone for milestone in MILESTONES if milestone.on <= today)
