"""Alerts (trace logs) that the asynchronous service writes about mailboxes.

Wording: "Troubleshooting and monitoring server-side synchronization" and the support articles on
email and Exchange synchronization.
"""

from __future__ import annotations

import uuid

from simulator.chain import Missing
from simulator.dynamics.database import Record
from simulator.ledger import instant
from simulator.state import World

INFORMATION, WARNING, ERROR = 1, 2, 3


def failed(world: World, organization: str, mailbox: Record, missing: Missing) -> None:
    """The test or the cycle met a missing link."""
    name, profile = mailbox.get("name"), _profile_name(world, organization, mailbox)
    if missing.is_permanent:
        outcome = "The mailbox has been disabled for receiving and sending email"
    else:
        outcome = "The system will try again later"
    text = (
        f'Email cannot be received for the mailbox "{name}". {outcome} and the owner of the'
        f" associated email server profile {profile} has been notified. {missing.text}"
    )
    _write(world, organization, mailbox, ERROR, text, missing.link, missing.machine)


def other_organization(world: World, organization: str, mailbox: Record) -> None:
    """Appointments, contacts and tasks belong to another organization."""
    text = (
        f"Appointments, contacts, and tasks can't be synchronized for the mailbox \""
        f'{mailbox.get("name")}" because it is configured for another Microsoft Dynamics 365'
        " organization. Exchange server returned IncomingIncorrectCrmOrgError."
    )
    _write(world, organization, mailbox, ERROR, text, "exchange.organization", "")


def connected(world: World, organization: str, mailbox: Record) -> None:
    """The test passed: an information, no problem."""
    text = f'The mailbox "{mailbox.get("name")}" has been tested and enabled for synchronization.'
    _write(world, organization, mailbox, INFORMATION, text, "", "")


def _write(
    world: World,
    organization: str,
    mailbox: Record,
    level: int,
    text: str,
    link: str,
    machine: str,
) -> None:
    database = world.databases[organization]
    record: Record = {
        "tracelogid": str(uuid.uuid4()),
        "level": level,
        "text": text[:2000],
        "tracecode": _code(link),
        "errortypedisplay": "Mailbox" if level == ERROR else None,
        "errordetails": text[:2048] if level == ERROR else None,
        "machinename": machine or None,
        "tracestatus": 0 if level == ERROR else 1,
        "canbedeleted": True,
        "isunique": False,
        "createdon": instant()[:-5] + "Z",
        "_regardingobjectid_value": mailbox["mailboxid"],
        "versionnumber": 0,
    }
    database.touch("tracelog", record, str(record["tracelogid"]))


def _code(link: str) -> int:
    """A number by kind of alert; the real ones are not published."""
    # GUESS: trace codes; callers must go by the text.
    return sum(ord(letter) for letter in link) if link else 0


def _profile_name(world: World, organization: str, mailbox: Record) -> str:
    database = world.databases[organization]
    profile = database.find("emailserverprofile", str(mailbox.get("_emailserverprofile_value")))
    return str(profile["name"]) if profile else "(none)"
