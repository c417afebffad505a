"""Writes: create, upsert PATCH with If-Match, delete; each effect in the ledger once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from simulator.dynamics.callers import Caller
from simulator.dynamics.database import Database, Record
from simulator.dynamics.errors import DynamicsError, does_not_exist, invalid
from simulator.dynamics.mailbox_tests import MailboxTests
from simulator.dynamics.model import Entity, Model
from simulator.dynamics.payload import attributes_of, unreadable_body
from simulator.dynamics.reading import etag
from simulator.ledger import instant
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

PRIVILEGE_NAMES = {
    "emailserverprofile": "EmailServerProfile",
    "mailbox": "Mailbox",
    "systemuser": "User",
    "queue": "Queue",
    "organization": "Organization",
    "tracelog": "TraceLog",
    "role": "Role",
    "businessunit": "BusinessUnit",
    "privilege": "Role",
}
APPROVE = "prvApproveRejectEmailAddress"
CREATABLE = ("emailserverprofile", "mailbox")
DELETABLE = ("emailserverprofile", "tracelog")
NOT_RECORDED = {"versionnumber", "modifiedon"}


class Writer:
    """Writes records of one organization on behalf of a caller."""

    def __init__(
        self,
        simulation: Simulation,
        model: Model,
        organization: str,
        caller: Caller,
        tests: MailboxTests,
    ) -> None:
        self._simulation, self._model = simulation, model
        self._organization, self._caller, self._tests = organization, caller, tests
        self._held: list[Callable[[], object]] | None = None

    def begin(self) -> None:
        """Begin a change set: what follows takes effect with ``commit`` or not at all."""
        self._held = []
        self._database.begin()

    def commit(self) -> None:
        """Let the change set take effect."""
        held, self._held = self._held or [], None
        self._database.commit()
        for act in held:
            act()

    def rollback(self) -> None:
        """Forget the change set."""
        self._held = None
        self._database.rollback()

    def _do(self, act: Callable[[], object]) -> None:
        """Do now what tells others of a change, or with the change set's commit."""
        if self._held is None:
            act()
        else:
            self._held.append(act)

    @property
    def _database(self) -> Database:
        return self._simulation.world.databases[self._organization]

    def create(self, entity: Entity, request: Request, record_id: str = "") -> Record:
        """Make a record; the id may come from the caller (upsert) or is new."""
        if entity.name not in CREATABLE:
            text = f"The 'Create' method does not support entities of type '{entity.name}'."
            raise DynamicsError(400, "0x80040800", text)
        self._demand("Create", entity)
        given = attributes_of(_body(request), entity, self._model, creating=True)
        self._check_references(entity, given)
        record_id = record_id.lower() or str(given.pop(entity.id_name, "")) or str(uuid.uuid4())
        if self._database.find(entity.name, record_id):
            text = "A record with matching key values already exists."
            raise DynamicsError(412, "0x80040237", text)
        record: Record = {entity.id_name: record_id, "statecode": 0, "statuscode": 1}
        record |= entity.rules.get("defaults", {})
        record |= self._ownership(given) | given
        record["createdon"] = instant()[:-5] + "Z"
        record["_createdby_value"] = record["_modifiedby_value"] = self._caller.user_id
        record["versionnumber"] = 0
        if not request.is_silent:
            self._keep(entity, record, record_id, {}, request)
        return record

    def update(self, entity: Entity, record_id: str, request: Request) -> tuple[Record, bool]:
        """PATCH: update, or create where nothing is there and If-Match does not forbid it.

        :return: the record, and whether it was created.
        :raises DynamicsError: 404 for If-Match on nothing, 412 where the ETag differs.
        """
        record = self._database.find(entity.name, record_id)
        condition = request.header("If-Match")
        if record is None:
            if condition:
                raise does_not_exist(entity.name, record_id)
            return self.create(entity, request, record_id), True
        if request.header("If-None-Match") == "*":
            text = "A record with matching key values already exists."
            raise DynamicsError(412, "0x80040237", text)
        if condition not in ("", "*", etag(record)):
            raise DynamicsError(412)
        self._demand("Write", entity)
        given = attributes_of(_body(request), entity, self._model, creating=False)
        self._check_references(entity, given)
        self._check_approval(entity, record, given)
        new = record | given | self._consequences(entity, record, given)
        if not request.is_silent:
            self._keep(entity, new, record_id.lower(), record, request)
        return new, False

    def delete(self, entity: Entity, record_id: str, request: Request) -> None:
        """Delete a record, if this kind of record may be deleted at all."""
        if entity.name not in DELETABLE:
            text = f"The 'Delete' method does not support entities of type '{entity.name}'."
            raise DynamicsError(400, "0x80040800", text)
        record = self._database.find(entity.name, record_id)
        if record is None:
            raise does_not_exist(entity.name, record_id)
        if request.header("If-Match") not in ("", "*", etag(record)):
            raise DynamicsError(412)
        self._demand("Delete", entity)
        users = self._database.table("mailbox").values()
        if any(user.get("_emailserverprofile_value") == record_id.lower() for user in users):
            text = "The email server profile is used by mailboxes and cannot be deleted."
            raise invalid(text, "0x80047008")
        if request.is_silent:
            return
        self._database.delete(entity.name, record_id.lower())
        self._simulation.world.records_changed()
        self._record(entity, record_id.lower(), _comparable(record), None, request, "delete")

    def _keep(
        self, entity: Entity, new: Record, record_id: str, old: Record, request: Request
    ) -> None:
        """Store a record, write the ledger, wake what waits for it.

        A PATCH that changes nothing still makes a new version, as in the product, but is no effect.
        """
        before, after = _comparable(old), _comparable(new)
        changed = [n for n in after if after[n] != before.get(n)]
        new["_modifiedby_value"] = self._caller.user_id
        self._database.touch(entity.name, new, record_id)
        self._simulation.world.records_changed()
        if changed:
            was = {n: before.get(n) for n in changed} if old else None
            effect = "update" if old else "create"
            self._record(entity, record_id, was, {n: after[n] for n in changed}, request, effect)
        if entity.name == "mailbox" and new.get("testemailconfigurationscheduled"):
            self._do(lambda: self._tests.schedule(self._organization, record_id))

    def _record(
        self,
        entity: Entity,
        record_id: str,
        before: object,
        after: object,
        request: Request,
        effect: str,
    ) -> None:
        self._do(
            lambda: self._simulation.ledger.record(
                "crm",
                f"{entity.name}.{effect}",
                f"{self._organization}/{entity.set_name}({record_id})",
                self._caller.name,
                before,
                after,
                client_request_id=request.header("x-ms-client-request-id"),
            )
        )

    def _demand(self, verb: str, entity: Entity) -> None:
        self._caller.demand(f"prv{verb}{PRIVILEGE_NAMES[entity.name]}", entity.name)

    def _check_references(self, entity: Entity, given: Mapping[str, object]) -> None:
        for navigation in entity.lookups.values():
            target_id = given.get(navigation.lookup)
            if target_id is None or navigation.lookup not in given:
                continue
            targets = ("systemuser",) if navigation.target == "principal" else (navigation.target,)
            if not any(self._database.find(t, str(target_id)) for t in targets):
                raise does_not_exist(targets[0], str(target_id))

    def _check_approval(self, entity: Entity, record: Record, given: Mapping[str, object]) -> None:
        name = "emailrouteraccessapproval"
        if name in given and given[name] != record.get(name) and given[name] in (1, 3):
            self._caller.demand(APPROVE, entity.name)

    def _consequences(
        self, entity: Entity, record: Record, given: Mapping[str, object]
    ) -> dict[str, object]:
        """What the platform changes along with what the caller changes."""
        also: dict[str, object] = {}
        if "statecode" in given and "statuscode" not in given:
            also["statuscode"] = 2 if given["statecode"] == 1 else 1
        address = given.get("emailaddress")
        if (
            entity.name == "mailbox"
            and address is not None
            and address != record.get("emailaddress")
        ):
            # GUESS: a changed address has to be approved again.
            also["emailrouteraccessapproval"] = 2
        return also

    def _ownership(self, given: Mapping[str, object]) -> dict[str, object]:
        owner = given.get("_ownerid_value", self._caller.user_id)
        return {"_ownerid_value": owner, "_owninguser_value": owner}


def _body(request: Request) -> object:
    try:
        return request.json()
    except ValueError as error:
        raise unreadable_body(error) from error


def _comparable(record: Record) -> Record:
    """What of a record counts as an effect."""
    return {
        name: value
        for name, value in record.items()
        if name not in NOT_RECORDED and not name.startswith("~") and name != "_modifiedby_value"
    }


def created(entity: Entity, record: Record, base: str, request: Request) -> Response:
    """The answer to a create: 204 with the address of the record."""
    address = f"{base}/{entity.set_name}({record[entity.id_name]})"
    response = Response(204, b"", [("OData-EntityId", address), ("Location", address)])
    return response.with_header("OData-Version", "4.0")
