"""Links in the organization database: the mailbox record and its email server profile."""

from __future__ import annotations

from simulator.chain.missing import Missing
from simulator.dynamics.database import Database, Record

EWS_URL = "https://outlook.office365.com/EWS/Exchange.asmx"
EXCHANGE_ONLINE_HYBRID = 3


def mailbox_record(mailbox: Record) -> Missing | None:
    """The mailbox record itself: active, approved, with an address."""
    name = mailbox.get("name")
    if mailbox.get("statecode") != 0:
        text = f"Mailbox {name} is deactivated. Email Server Error Code: MailboxDisabled"
        return Missing("mailbox.active", text)
    if mailbox.get("emailrouteraccessapproval") != 1:
        text = f"The email address of the mailbox {name} is not approved."
        return Missing("mailbox.approval", text)
    if not mailbox.get("emailaddress"):
        text = f"the mailbox {name} doesn't have a valid email address."
        return Missing("mailbox.address", text)
    return None


def server_profile(database: Database, mailbox: Record) -> Missing | None:
    """The email server profile: bound, active, Exchange Online (Hybrid), right address."""
    profile = database.find("emailserverprofile", str(mailbox.get("_emailserverprofile_value")))
    name = mailbox.get("name")
    if profile is None:
        text = f"The mailbox {name} does not have an email server profile associated with it."
        return Missing("profile.bound", text)
    if profile.get("statecode") != 0:
        text = "Email Server Error Code: Exchange server returned InvalidIncomingEmailServerProfile"
        return Missing("profile.active", f"{text} (the profile {profile['name']} is inactive).")
    if profile.get("servertype") != EXCHANGE_ONLINE_HYBRID:
        text = (
            "The credentials specified in the associated email server profile are not valid: the"
            f" profile {profile['name']} is not of type Exchange Online (Hybrid)."
        )
        return Missing("profile.type", text)
    return None if profile.get("useautodiscover") else _location(profile)


def _location(profile: Record) -> Missing | None:
    for direction in ("incoming", "outgoing"):
        if direction == "outgoing" and profile.get("usesamesettingsforoutgoingconnections"):
            continue
        where = str(profile.get(f"{direction}serverlocation") or "")
        if where.casefold() != EWS_URL.casefold():
            text = (
                "Email Server Error Code: InvalidIncomingEmailServerProfileConfiguration"
                f" HostNotFound: {direction} server location '{where}' of {profile['name']}."
            )
            return Missing("profile.location", text)
    return None
