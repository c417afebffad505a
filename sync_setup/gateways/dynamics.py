"""One Dynamics organization through its Web API: who we are, profiles, mailboxes, alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.errors import BadInput, Missing
from sync_setup.gateways.crm_metadata import EntityNames, read_metadata
from sync_setup.gateways.dynamics_session import (
    LARGEST_PAGE,
    DynamicsSession,
    Record,
    read_record,
)
from sync_setup.gateways.dynamics_sign_in import CRM, Challenge, DynamicsCredential, DynamicsTarget
from sync_setup.gateways.failures import garbled
from sync_setup.gateways.http import Answer, json_object
from sync_setup.gateways.identifiers import GUID, MailboxId, OrganizationId, ProfileId, RecordId
from sync_setup.gateways.odata import (
    Filter,
    Query,
    checked_id,
    compare,
    every,
    record_path,
    same_id,
)

PROFILES, MAILBOXES, ORGANIZATIONS = "emailserverprofiles", "mailboxes", "organizations"
USERS, QUEUES, ALERTS = "systemusers", "queues", "tracelogs"
_ID_NAMES = {
    PROFILES: "emailserverprofileid",
    MAILBOXES: "mailboxid",
    ORGANIZATIONS: "organizationid",
    USERS: "systemuserid",
    QUEUES: "queueid",
    ALERTS: "tracelogid",
}
_ALERT_FIELDS = (
    "level",
    "text",
    "tracecode",
    "errortypedisplay",
    "errordetails",
    "traceparameterxml",
    "machinename",
    "createdon",
    "tracestatus",
)


@dataclass(frozen=True)
class Caller:
    """Who the credential is in this organization."""

    user_id: RecordId
    business_unit_id: RecordId
    organization_id: OrganizationId


@dataclass(frozen=True)
class CurrentOrganization:
    """The organization behind the address, by its own word."""

    id: OrganizationId
    unique_name: str
    friendly_name: str
    version: str
    state: str


class Dynamics:
    """What the portal asks of and changes in one organization.

    Every method raises the errors of `HttpSession.request`, and on the first call those of `probe`
    and `user_token`.
    """

    def __init__(self, target: DynamicsTarget, credential: DynamicsCredential) -> None:
        self._session = DynamicsSession(target, credential)

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._session.close()

    def sign_in(self) -> Challenge:
        """Sign in now instead of with the first call, and tell how."""
        return self._session.sign_in()

    def who_am_i(self) -> Caller:
        """The user that the credential stands for."""
        row = self._session.read("WhoAmI")
        user, unit, organization = (
            _guid(row, name) for name in ("UserId", "BusinessUnitId", "OrganizationId")
        )
        return Caller(RecordId(user), RecordId(unit), OrganizationId(organization))

    def clock(self) -> datetime:
        """The time by the server's own clock, as its last answer told it (whole seconds)."""
        if self._session.said_at is None:
            self.who_am_i()
        # An answer without Date is one of a proxy; then this machine's clock has to do.
        return self._session.said_at or datetime.now(UTC)

    def version(self) -> str:
        """The version of the organization's platform, such as 9.1.31.21."""
        return _text(self._session.read("RetrieveVersion()"), "Version")

    def current_organization(self) -> CurrentOrganization:
        """Id and names of the organization behind the address."""
        access = "AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
        answer = self._session.read(f"RetrieveCurrentOrganization({access})")
        detail = answer.get("Detail")
        if not isinstance(detail, dict):
            raise garbled(CRM, "it has no Detail")
        return CurrentOrganization(
            id=OrganizationId(_guid(detail, "OrganizationId")),
            unique_name=_text(detail, "UniqueName"),
            friendly_name=_text(detail, "FriendlyName"),
            version=_text(detail, "OrganizationVersion"),
            state=str(detail.get("State", "")),
        )

    def metadata(self, entities: Collection[str]) -> dict[str, EntityNames]:
        """Property and navigation names of entities, from the organization's own $metadata.

        :param entities: logical names, such as mailbox.
        """
        answer = self._session.get("$metadata", headers={"Accept": "application/xml"})
        return read_metadata(CRM, answer.body, entities)

    def privileges(self, user_id: RecordId) -> frozenset[str]:
        """Names of the privileges that a user holds through all roles, such as prvWriteMailbox."""
        function = "Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
        answer = self._session.read(f"{record_path(USERS, user_id)}/{function}")
        rows = answer.get("RolePrivileges")
        if not isinstance(rows, list):
            raise garbled(CRM, "it has no RolePrivileges")
        held = {str(row.get("PrivilegeId", "")).lower() for row in rows if isinstance(row, dict)}
        # 8.x gives ids only, and the names stand in a table of their own.
        return frozenset(
            str(row.get("name"))
            for page in self._session.pages(f"privileges{Query(select=('name',)).encoded()}")
            for row in page
            if str(row.get("privilegeid", "")).lower() in held
        )

    def organization(self, fields: Sequence[str]) -> Record:
        """The organization's own record, with these fields."""
        for record in self.records(ORGANIZATIONS, fields):
            return record
        raise garbled(CRM, "it lists no organization")

    def server_profiles(self, fields: Sequence[str] = ()) -> tuple[Record, ...]:
        """All email server profiles, the inactive ones too."""
        return tuple(self.records(PROFILES, fields))

    def server_profile(self, profile_id: ProfileId, fields: Sequence[str] = ()) -> Record:
        """One email server profile with its version.

        :raises Missing: it is gone.
        """
        return self.record(PROFILES, profile_id, fields)

    def create_server_profile(self, profile_id: ProfileId, fields: Mapping[str, object]) -> None:
        """Create an email server profile under an id that the caller chose.

        Repeated with the same id it cannot make a second one.

        :raises Conflict: there is a profile with this id (SSS-CRM-DUPLICATE): look at it.
        """
        payload = {"emailserverprofileid": checked_id(profile_id), **fields}
        self._session.send("POST", PROFILES, payload)

    def update(
        self, entity_set: str, record_id: RecordId, fields: Mapping[str, object], etag: str
    ) -> None:
        """Change fields of a record that is still as it was read.

        PATCH would create what is not there, so If-Match is always sent.

        :param etag: of the look; "*" only where the caller compares the fields itself.
        :raises Conflict: the record has changed since (SSS-CRM-412).
        :raises Missing: the record is gone.
        """
        self._patch(entity_set, record_id, fields, etag)

    def update_before_another(
        self, entity_set: str, record_id: RecordId, fields: Mapping[str, object], etag: str
    ) -> str:
        """Change fields as `update` does, where another change of the same record follows.

        :return: the version that this very change made, for the next one: a version read afterwards
            could be somebody else's.
        :raises Garbled: the answer tells no version (the platform does so from 8.2 on). The change is
            made then; a look finds it, and only the other one is left.
        :source: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/update-delete-entities-using-web-api
        """
        id_name = _id_name(entity_set)
        answer = self._patch(entity_set, record_id, fields, etag, shown=(id_name,))
        return read_record(json_object(CRM, answer), id_name).etag

    def _patch(
        self,
        entity_set: str,
        record_id: RecordId,
        fields: Mapping[str, object],
        etag: str,
        shown: Sequence[str] = (),
    ) -> Answer:
        if not etag:
            raise BadInput("A change needs the version that was read.", code="SSS-INPUT-ETAG")
        path = f"{record_path(entity_set, record_id)}{Query(shown).encoded()}"
        headers = {"If-Match": etag} | ({"Prefer": "return=representation"} if shown else {})
        try:
            return self._session.send("PATCH", path, fields, headers)
        except Missing as error:
            raise _gone(entity_set, record_id, error) from error

    def set_profile_active(self, profile_id: ProfileId, active: bool, etag: str) -> None:
        """Activate or deactivate an email server profile; mailboxes on it stop with it.

        :raises Conflict: the profile has changed since it was read.
        """
        state = {"statecode": 0, "statuscode": 1} if active else {"statecode": 1, "statuscode": 2}
        self.update(PROFILES, profile_id, state, etag)

    def mailbox(self, mailbox_id: MailboxId, fields: Sequence[str] = ()) -> Record:
        """One mailbox with its version.

        :raises Missing: it is gone.
        """
        return self.record(MAILBOXES, mailbox_id, fields)

    def mailbox_pages(
        self, where: Filter | None, fields: Sequence[str], page_size: int = LARGEST_PAGE
    ) -> Iterator[tuple[Record, ...]]:
        """Mailboxes page by page, as they arrive."""
        yield from self.record_pages(MAILBOXES, fields, where, page_size)

    def alerts(self, mailbox_id: MailboxId, since: datetime) -> tuple[Record, ...]:
        """Alerts of a mailbox created at or after a moment, newest first."""
        where = every(
            same_id("_regardingobjectid_value", mailbox_id), compare("createdon", "ge", since)
        )
        query = Query(_ALERT_FIELDS, where, "createdon", descending=True)
        rows = (row for page in self._session.pages(f"{ALERTS}{query.encoded()}") for row in page)
        return tuple(read_record(row, _ID_NAMES[ALERTS]) for row in rows)

    def record(self, entity_set: str, record_id: RecordId, fields: Sequence[str] = ()) -> Record:
        """One record with its version; all readable fields if none are named.

        :raises Missing: it is gone.
        """
        path = f"{record_path(entity_set, record_id)}{Query(fields).encoded()}"
        try:
            row = self._session.read(path)
        except Missing as error:
            raise _gone(entity_set, record_id, error) from error
        return read_record(row, _id_name(entity_set))

    def records(
        self, entity_set: str, fields: Sequence[str] = (), where: Filter | None = None
    ) -> Iterator[Record]:
        """Records of a set: users and queues, for example."""
        for page in self.record_pages(entity_set, fields, where, LARGEST_PAGE):
            yield from page

    def record_pages(
        self, entity_set: str, fields: Sequence[str], where: Filter | None, page_size: int
    ) -> Iterator[tuple[Record, ...]]:
        """Records of a set, page by page."""
        id_name = _id_name(entity_set)
        path = f"{entity_set}{Query(fields, where).encoded()}"
        for page in self._session.pages(path, page_size):
            yield tuple(read_record(row, id_name) for row in page)


def _id_name(entity_set: str) -> str:
    if entity_set not in _ID_NAMES:
        raise BadInput(f"The portal does not read {entity_set[:60]}.", code="SSS-INPUT-ENTITY-SET")
    return _ID_NAMES[entity_set]


def _gone(entity_set: str, record_id: str, error: Missing) -> Missing:
    return Missing(
        f"Dynamics has no record {record_id} in {entity_set}.",
        remedy="Refresh the list: it was deleted, or this user may not see it.",
        code=error.code,
        system=error.system,
        detail=error.detail,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise garbled(CRM, f"it has no {name}")
    return value


def _guid(row: Mapping[str, Any], name: str) -> str:
    value = _text(row, name).lower()
    if not GUID.fullmatch(value):
        raise garbled(CRM, f"{name} is no id")
    return value
