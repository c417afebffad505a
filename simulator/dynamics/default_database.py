"""The organization databases that a fresh world starts with."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence

from simulator.dynamics.callers import HIDDEN_PRIVILEGES, HIDDEN_ROLES
from simulator.dynamics.database import Database, Record
from simulator.dynamics.model import Model
from simulator.dynamics.names import Holder, new_id
from simulator.ledger import instant

PORTAL_PRIVILEGES = (
    "prvReadEmailServerProfile",
    "prvCreateEmailServerProfile",
    "prvWriteEmailServerProfile",
    "prvDeleteEmailServerProfile",
    "prvReadMailbox",
    "prvCreateMailbox",
    "prvWriteMailbox",
    "prvReadTraceLog",
    "prvDeleteTraceLog",
    "prvReadOrganization",
    "prvWriteOrganization",
    "prvReadUser",
    "prvWriteUser",
    "prvReadQueue",
    "prvWriteQueue",
    "prvReadRole",
    "prvReadBusinessUnit",
    "prvApproveRejectEmailAddress",
)
READER_PRIVILEGES = tuple(name for name in PORTAL_PRIVILEGES if name.startswith("prvRead"))
LEGACY_ERROR = (
    "Email cannot be received for the mailbox. Http server returned 401 Unauthorized exception."
)


class Maker:
    """Fills one database, the same for the same seed."""

    def __init__(
        self, seed: int, now: datetime.datetime, organization_id: str, friendly_name: str
    ) -> None:
        self._source = random.Random(f"records {seed}")  # noqa: S311 - demo data, no secrets
        self._now, self._organization_id = now, organization_id
        self._unit = new_id(self._source)
        self._admin = new_id(self._source)
        self._model, self.database = Model(), Database()
        self._add("businessunit", self._unit, {"name": friendly_name, "isdisabled": False})
        self._add("organization", organization_id, _organization(friendly_name))

    def users(self, windows_domain: str, upn_domain: str, readers: Sequence[str]) -> None:
        """The integration user ``svc-sssportal`` and the look-only users."""
        self._privileges()
        roles = {
            "SSS Portal": PORTAL_PRIVILEGES,
            "SSS Portal look only": READER_PRIVILEGES,
        }
        ids = {}
        for name, privileges in roles.items():
            ids[name] = new_id(self._source)
            values: Record = {"name": name, HIDDEN_PRIVILEGES: list(privileges)}
            self._add("role", ids[name], values | {"_businessunitid_value": self._unit})
        accounts = [("svc-sssportal", "SSS Portal", self._admin)]
        accounts += [(name, "SSS Portal look only", new_id(self._source)) for name in readers]
        for name, role, user_id in accounts:
            user = self._user(name, f"{windows_domain}\\{name}", f"{name}@{upn_domain}")
            self._add("systemuser", user_id, user | {HIDDEN_ROLES: [ids[role]]})

    def profiles(self) -> dict[str, str]:
        """Two older profiles; their ids by name."""
        found = {}
        for name, server_type, state in (
            ("Exchange 2013 on-premises", 0, 0),
            ("Former provider (POP3/SMTP)", 1, 1),
        ):
            found[name] = new_id(self._source)
            defaults = self._model.by_name["emailserverprofile"].rules["defaults"]
            own: Record = {
                "name": name,
                "servertype": server_type,
                "incomingserverlocation": "https://mail.contoso.example/EWS/Exchange.asmx",
                "incomingcredentialretrieval": 3,
                "outgoingcredentialretrieval": 3,
                "incomingportnumber": 443,
                "outgoingportnumber": 443,
                "statecode": state,
                "statuscode": 2 if state else 1,
                "_ownerid_value": self._admin,
                "_owninguser_value": self._admin,
            }
            self._add("emailserverprofile", found[name], defaults | own)
        return found

    def mailboxes(self, holders: Sequence[Holder], pilot: str, legacy_profile: str) -> None:
        """A user or queue and a mailbox for each holder.

        Most are not configured; some are approved; one in twenty fails through the old profile; the
        pilot is approved and otherwise untouched.
        """
        for position, holder in enumerate(holders):
            mailbox_id = new_id(self._source)
            is_pilot = holder.address == pilot
            own = self._holder(holder, mailbox_id)
            mailbox: Record = {
                "name": holder.name,
                "emailaddress": holder.address,
                "_regardingobjectid_value": holder.id,
                "_ownerid_value": self._admin if holder.is_queue else holder.id,
                "emailrouteraccessapproval": 1 if is_pilot or position % 3 == 0 else 0,
            }
            if position % 20 == 7 and not is_pilot and not holder.is_queue:
                mailbox |= self._failing(legacy_profile)
            self._add("queue" if holder.is_queue else "systemuser", holder.id, own)
            self._add("mailbox", mailbox_id, _mailbox() | mailbox)
            if mailbox.get("mailboxstatus") == 2:
                self._alert(mailbox_id)

    def _holder(self, holder: Holder, mailbox_id: str) -> Record:
        if holder.is_queue:
            queue: Record = {"name": holder.name, "emailaddress": holder.address}
            return queue | {"statecode": 0, "statuscode": 1, "_defaultmailbox_value": mailbox_id}
        local = holder.address.partition("@")[0]
        user = self._user(holder.name, f"CONTOSO\\{local}", holder.address)
        return user | {"_defaultmailbox_value": mailbox_id, "islicensed": True}

    def _user(self, name: str, account: str, upn: str) -> Record:
        first, _, last = name.partition(" ")
        return {
            "fullname": name,
            "firstname": first,
            "lastname": last or None,
            "domainname": account,
            "windowsliveid": upn,
            "internalemailaddress": upn,
            "isdisabled": False,
            "accessmode": 0,
            "_businessunitid_value": self._unit,
            "organizationid": self._organization_id,
            "emailrouteraccessapproval": 0,
        }

    def _failing(self, profile_id: str) -> Record:
        return {
            "_emailserverprofile_value": profile_id,
            "incomingemaildeliverymethod": 2,
            "outgoingemaildeliverymethod": 2,
            "actdeliverymethod": 1,
            "incomingemailstatus": 2,
            "outgoingemailstatus": 2,
            "actstatus": 2,
            "mailboxstatus": 2,
            "enabledforincomingemail": False,
            "enabledforoutgoingemail": False,
            "enabledforact": False,
            "testemailconfigurationretrycount": 3,
            "testmailboxaccesscompletedon": self._earlier(days=11),
            "lastsyncerror": LEGACY_ERROR,
        }

    def _alert(self, mailbox_id: str) -> None:
        values: Record = {
            "level": 3,
            "text": LEGACY_ERROR,
            "errordetails": LEGACY_ERROR,
            "tracestatus": 0,
            "canbedeleted": True,
            "machinename": "CRM-APP02",
            "_regardingobjectid_value": mailbox_id,
        }
        self._add("tracelog", new_id(self._source), values, days=11)

    def _privileges(self) -> None:
        for name in PORTAL_PRIVILEGES:
            self._add("privilege", new_id(self._source), {"name": name})

    def _add(self, entity: str, record_id: str, values: Record, days: int = 400) -> None:
        own = {
            self._model.by_name[entity].id_name: record_id,
            "createdon": self._earlier(days=days),
            "_createdby_value": self._admin,
            "_modifiedby_value": self._admin,
            "versionnumber": 0,
        }
        self.database.touch(entity, own | values, record_id)

    def _earlier(self, *, days: int) -> str:
        return instant(self._now - datetime.timedelta(days=days))[:-5] + "Z"


def _organization(name: str) -> Record:
    return {
        "name": name,
        "isdisabled": False,
        "emailconnectionchannel": 0,
        "requireapprovalforuseremail": True,
        "requireapprovalforqueueemail": True,
        "sharepointdeploymenttype": 0,
        # GUESS: the shape of this undocumented setting.
        "defaultemailsettings": "<EmailSettings><IncomingEmailDeliveryMethod>0"
        "</IncomingEmailDeliveryMethod><OutgoingEmailDeliveryMethod>0"
        "</OutgoingEmailDeliveryMethod><ACTDeliveryMethod>2</ACTDeliveryMethod></EmailSettings>",
        "languagecode": 1033,
    }


def _mailbox() -> Record:
    """A mailbox that nobody has configured yet."""
    return {
        "statecode": 0,
        "statuscode": 1,
        "isforwardmailbox": False,
        "incomingemaildeliverymethod": 0,
        "outgoingemaildeliverymethod": 0,
        "actdeliverymethod": 2,
        "incomingemailstatus": 0,
        "outgoingemailstatus": 0,
        "actstatus": 0,
        "mailboxstatus": 0,
        "testemailconfigurationscheduled": False,
        "testemailconfigurationretrycount": 0,
        "isemailaddressapprovedbyo365admin": False,
        "orgmarkedasprimaryforexchangesync": False,
        "isactsyncorgflagset": False,
        "enabledforincomingemail": False,
        "enabledforoutgoingemail": False,
        "enabledforact": False,
        "processanddeleteemails": False,
        "allowemailconnectortousecredentials": False,
    }
