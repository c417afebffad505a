"""The email server profile "Exchange Online (Hybrid)": which fields count, and what they are to be.

Names and values: the entity reference of Dynamics 365 Customer Engagement (on-premises), option sets of
emailserverprofile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.errors import BadInput

EXCHANGE_ONLINE_HYBRID = 3  # servertype
SERVER_TO_SERVER = 2  # incoming- and outgoingcredentialretrieval
ACTIVE, INACTIVE = 0, 1  # statecode
LONGEST = {"name": 100}

# Compared and written. moveundeliveredemails moves users' own mail when it is on, so it is off.
FIXED: Mapping[str, Any] = {
    "servertype": EXCHANGE_ONLINE_HYBRID,
    "usedefaulttenantid": True,
    "useautodiscover": False,
    "usesamesettingsforoutgoingconnections": True,
    "incomingcredentialretrieval": SERVER_TO_SERVER,
    "outgoingcredentialretrieval": SERVER_TO_SERVER,
    "incominguseimpersonation": False,
    "outgoinguseimpersonation": False,
    "incomingusessl": True,
    "outgoingusessl": True,
    "incomingportnumber": 443,
    "outgoingportnumber": 443,
    "moveundeliveredemails": False,
    "sendemailalert": True,
    "statecode": ACTIVE,
}
OWNER, STATE = "_ownerid_value", "statecode"
RECEIVED_AFTER = "processemailsreceivedafter"
COMPARED: tuple[str, ...] = (
    "name",
    "incomingserverlocation",
    "outgoingserverlocation",
    OWNER,
    RECEIVED_AFTER,
    *FIXED,
)
LABELS: Mapping[str, str] = {
    "name": "Name",
    "servertype": "Email server type",
    "incomingserverlocation": "Incoming server location",
    "outgoingserverlocation": "Outgoing server location",
    OWNER: "Owner (gets the alerts)",
    RECEIVED_AFTER: "Process emails received after",
    "usedefaulttenantid": "Use the organization's tenant id",
    "useautodiscover": "Autodiscover server location",
    "usesamesettingsforoutgoingconnections": "Same settings for outgoing",
    "incomingcredentialretrieval": "Incoming authentication",
    "outgoingcredentialretrieval": "Outgoing authentication",
    "incominguseimpersonation": "Incoming impersonation",
    "outgoinguseimpersonation": "Outgoing impersonation",
    "incomingusessl": "Incoming TLS",
    "outgoingusessl": "Outgoing TLS",
    "incomingportnumber": "Incoming port",
    "outgoingportnumber": "Outgoing port",
    "moveundeliveredemails": "Move failed emails to Undeliverable",
    "sendemailalert": "Alert the owner",
    "statecode": "State",
}


def compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields that count, as Dynamics has them."""
    return {name: fields.get(name) for name in COMPARED}


def wanted(
    now: Mapping[str, Any], *, name: str, ews_url: str, owner: str, received_after: str
) -> dict[str, Any]:
    """Say how the fields are to be.

    :param now: as they are; all None where there is no profile yet.
    :param owner: GUID of the person or team that gets the alerts.
    :param received_after: mail before this instant is left alone; a profile that has a value keeps it.
    """
    return {
        **FIXED,
        "name": name,
        "incomingserverlocation": ews_url,
        "outgoingserverlocation": ews_url,
        OWNER: owner,
        RECEIVED_AFTER: now.get(RECEIVED_AFTER) or received_after,
    }


def to_write(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields in the form Dynamics takes: the owner as a bound lookup.

    The state is left out: Dynamics makes a record active, and changes its state in a call of its own.
    """
    written = {name: value for name, value in values.items() if name != STATE}
    owner = written.pop(OWNER, None)
    if owner is not None:
        written["ownerid@odata.bind"] = f"/systemusers({owner})"
    return written


def bound_profile(profile_id: str | None) -> str | None:
    """Give the value of a bound lookup of a profile; None takes the profile off."""
    # GUESS: Dynamics on-premises takes null for a bound lookup, as Dataverse does, and clears it.
    return f"/emailserverprofiles({profile_id})" if profile_id else None


def checked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Take over fields a person changed, if they are fields that may be changed and of the right kind.

    :raises BadInput: for another field, a wrong type, or a text that is too long.
    """
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in COMPARED or name == "servertype":
            raise BadInput(f"The field {name} is not changed from here.", field=name)
        checked[name] = _checked(name, value)
    return checked


def _checked(name: str, value: Any) -> Any:
    expected = type(FIXED.get(name, ""))
    if type(value) is not expected:
        raise BadInput(f"{LABELS[name]}: this is no {expected.__name__}.", field=name)
    if isinstance(value, str):
        if not value.strip() or len(value) > LONGEST.get(name, 200) or not value.isprintable():
            raise BadInput(
                f"{LABELS[name]}: give 1 to {LONGEST.get(name, 200)} characters.", field=name
            )
        return value.strip()
    if name == STATE and value not in (ACTIVE, INACTIVE):
        raise BadInput(f"{LABELS[name]}: it is active (0) or inactive (1).", field=name)
    if name.endswith("portnumber") and not 1 <= value <= 65535:
        raise BadInput(f"{LABELS[name]}: a port is 1 to 65535.", field=name)
    return value
