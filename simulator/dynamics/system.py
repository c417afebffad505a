"""The Web API of a deployment: its organizations by address, sign-in, routes, batches."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from simulator.dynamics import batch
from simulator.dynamics.callers import HIDDEN_ROLES, Caller, NotSignedIn, SignIn, caller_of
from simulator.dynamics.database import Database, Record
from simulator.dynamics.errors import DynamicsError, does_not_exist
from simulator.dynamics.functions import Functions
from simulator.dynamics.mailbox_tests import MailboxTests
from simulator.dynamics.model import Entity, Model
from simulator.dynamics.reading import Reader
from simulator.dynamics.writing import PRIVILEGE_NAMES, Writer, created
from simulator.metadata import dynamics_metadata
from simulator.simulation import Simulation
from simulator.web.faults import serve_in_batch
from simulator.web.message import Request, Response

ROOT = re.compile(r"/(?P<name>[^/]+)/api/data/(?P<version>v[89]\.[0-2])(?:/(?P<rest>.*))?")
VERSIONS = ("v8.0", "v8.1", "v8.2", "v9.0", "v9.1")
RECORD = re.compile(r"(?P<set>\w+)\((?P<id>[0-9a-fA-F-]{36})\)(?:/(?P<more>\w+))?")


@dataclass
class Session:
    """One request's place: an organization, its database, the caller."""

    name: str
    version: str
    database: Database
    caller: Caller
    base: str
    writer: Writer


class Dynamics:
    """The system behind the ``crm`` listener."""

    def __init__(self, simulation: Simulation, tests: MailboxTests, digest: bytes) -> None:
        self._simulation, self._tests = simulation, tests
        self._model = Model()
        self._sign_in = SignIn(simulation, digest)

    def answer(self, request: Request) -> Response:
        match = ROOT.fullmatch(request.path)
        if match is None or match["version"] not in VERSIONS:
            return Response.of_html("<h1>404 - File or directory not found.</h1>", 404)
        self._take_time(request)
        try:
            user, headers = self._sign_in.user_name(request)
        except NotSignedIn as refused:
            return refused.response
        try:
            response = self._answer_signed_in(request, match, user)
        except DynamicsError as error:
            response = error.to_response(request)
        response.headers += headers
        return response

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return DynamicsError(status, code, message).to_response(request)

    def _take_time(self, request: Request) -> None:
        """Work as long as the dials say: once a request, and once more for each operation."""
        dials = self._simulation.dials
        seconds = dials.setting("crm/request_seconds", 0.0)
        each = dials.setting("crm/operation_seconds", 0.0)
        operations = request.body.count(b"HTTP/1.1") if request.path.endswith("$batch") else 1
        if seconds + each > 0:
            time.sleep(seconds + each * operations)

    def _answer_signed_in(self, request: Request, match: re.Match[str], user: str) -> Response:
        rest = match["rest"] or ""
        session = self._session(match, user, request.header("MSCRMCallerID"))
        if rest == "$batch" and request.method == "POST":
            return self._batch(request, session)
        with self._simulation.world.lock:
            return self._route(request, rest, session)

    def _session(self, match: re.Match[str], user: str, impersonated: str) -> Session:
        world = self._simulation.world
        with world.lock:
            for name, database in world.databases.items():
                if name.casefold() == match["name"].casefold():
                    base = f"{self._simulation.places.crm}/{name}/api/data/{match['version']}"
                    self._check_enabled(name)
                    caller = caller_of(database, user)
                    if impersonated:
                        # No role of this world may act for others.
                        caller.demand("prvActOnBehalfOfAnotherUser", "systemuser")
                    writer = Writer(self._simulation, self._model, name, caller, self._tests)
                    return Session(name, match["version"], database, caller, base, writer)
        raise DynamicsError(404, "0x80040217", f"Organization '{match['name']}' was not found.")

    def _check_enabled(self, name: str) -> None:
        for organization in self._simulation.world.deployment.organizations:
            if organization.unique_name == name and organization.state != "Enabled":
                # GUESS: the code of a disabled organization.
                text = f"The organization {name} is disabled."
                raise DynamicsError(403, "0x8004a112", text)

    def _route(self, request: Request, rest: str, session: Session) -> Response:
        if request.method == "GET":
            functions = Functions(self._simulation, session.name, session.base)
            found = functions.answer(rest, session.database, session.caller)
            if found is not None:
                return found
            if rest == "$metadata":
                text = dynamics_metadata().text
                return Response(200, text, [("Content-Type", "application/xml")])
            if rest == "":
                return self._service_document(session)
        if match := RECORD.fullmatch(rest):
            return self._on_record(request, session, match)
        if rest.endswith("/$count") and request.method == "GET":
            entity = self._readable(rest.removesuffix("/$count"), session)
            return Response(200, str(len(session.database.table(entity.name))).encode())
        entity = self._model.entity(rest)
        if request.method == "GET":
            self._readable(rest, session)
            return self._reader(session).page(entity, request)
        if request.method == "POST":
            return self._create(entity, request, session)
        raise DynamicsError(405, "0x80060888", f"{request.method} is not allowed on {rest}.")

    def _on_record(self, request: Request, session: Session, match: re.Match[str]) -> Response:
        entity = self._model.entity(match["set"])
        if match["more"]:
            return self._related(entity, match, request, session)
        if request.method == "GET":
            self._readable(match["set"], session)
            return self._reader(session).record(entity, match["id"], request)
        if request.method == "PATCH":
            record, is_new = session.writer.update(entity, match["id"], request)
            if "return=representation" in request.header("Prefer"):
                return self._representation(entity, record, request, session, is_new)
            return created(entity, record, session.base, request)
        if request.method == "DELETE":
            session.writer.delete(entity, match["id"], request)
            return Response(204, b"", [("OData-Version", "4.0")])
        raise DynamicsError(405, "0x80060888", f"{request.method} is not allowed here.")

    def _create(self, entity: Entity, request: Request, session: Session) -> Response:
        record = session.writer.create(entity, request)
        if "return=representation" in request.header("Prefer"):
            return self._representation(entity, record, request, session, True)
        return created(entity, record, session.base, request)

    def _representation(
        self, entity: Entity, record: Record, request: Request, session: Session, is_new: bool
    ) -> Response:
        if request.is_silent:
            return created(entity, record, session.base, request)
        response = self._reader(session).record(entity, str(record[entity.id_name]), request)
        response.status = 201 if is_new else 200
        return response.with_header("Preference-Applied", "return=representation")

    def _related(
        self, entity: Entity, match: re.Match[str], request: Request, session: Session
    ) -> Response:
        """A collection behind a record: records whose lookup points here, or the user's roles."""
        record = session.database.find(entity.name, match["id"])
        navigation = entity.kind.navigations.get(match["more"])
        target = self._model.by_name.get(navigation.target) if navigation else None
        if record is None:
            raise does_not_exist(entity.name, match["id"])
        if navigation is None or target is None or not navigation.is_collection:
            text = f"Resource not found for the segment '{match['more']}'."
            raise DynamicsError(404, "0x8006088a", text)
        self._readable(target.set_name, session)
        table = session.database.table(target.name)
        if navigation.name == "systemuserroles_association" and target.name == "role":
            roles = record.get(HIDDEN_ROLES)
            rows = [table[str(r)] for r in roles] if isinstance(roles, list) else []
        else:
            partner = target.kind.navigations.get(navigation.partner)
            lookup = partner.lookup if partner else ""
            rows = [r for r in table.values() if lookup and r.get(lookup) == match["id"].lower()]
        return self._reader(session).page(target, request, rows)

    def _readable(self, set_name: str, session: Session) -> Entity:
        entity = self._model.entity(set_name)
        session.caller.demand(f"prvRead{PRIVILEGE_NAMES[entity.name]}", entity.name)
        return entity

    def _reader(self, session: Session) -> Reader:
        return Reader(self._model, session.database, session.base)

    def _service_document(self, session: Session) -> Response:
        sets = [{"name": n, "kind": "EntitySet", "url": n} for n in self._model.by_set]
        return Response.of_json({"@odata.context": f"{session.base}/$metadata", "value": sets})

    def _batch(self, request: Request, session: Session) -> Response:
        parts = batch.read(request, f"/{session.name}/api/data/{session.version}")
        goes_on = "odata.continue-on-error" in request.header("Prefer")
        answers: list[Response | list[tuple[str, Response]]] = []
        status = 200
        for part in parts:
            if isinstance(part, batch.ChangeSet):
                with self._simulation.world.lock:
                    answer, failed = self._change_set(part, session)
                answers.append(answer)
            else:
                response = self._in_batch(part.request, session)
                failed = response.status >= 400
                answers.append(response)
            if failed and not goes_on:
                # GUESS: the batch as a whole then answers 400, with what was answered so far.
                status = 400
                break
        return batch.write(answers, status)

    def _change_set(
        self, change_set: batch.ChangeSet, session: Session
    ) -> tuple[Response | list[tuple[str, Response]], bool]:
        """All operations, or the first refusal alone and nothing done."""
        session.writer.begin()
        answers: list[tuple[str, Response]] = []
        known: dict[str, str] = {}
        for operation in change_set.operations:
            _refer(operation.request, known, session)
            response = self._in_batch(operation.request, session)
            if response.status >= 400:
                session.writer.rollback()
                return response, True
            for name, value in response.headers:
                if name == "OData-EntityId":
                    known[operation.content_id] = value.partition(self._simulation.places.crm)[2]
            answers.append((operation.content_id, response))
        session.writer.commit()
        return answers, False

    def _in_batch(self, request: Request, session: Session) -> Response:
        dials, calls = self._simulation.dials, self._simulation.calls
        return serve_in_batch(_Inner(self, session), "crm", request, dials, calls)


@dataclass
class _Inner:
    """The Web API as one operation of a batch sees it: the caller is signed in already."""

    dynamics: Dynamics
    session: Session

    def answer(self, request: Request) -> Response:
        match = ROOT.fullmatch(request.path)
        rest = match["rest"] if match else None
        is_own = match is not None and match["name"].casefold() == self.session.name.casefold()
        if not is_own or not rest or rest == "$batch":
            text = "A batch may hold requests for records of its own organization only."
            return DynamicsError(400, "0x80060888", text).to_response(request)
        try:
            with self.dynamics._simulation.world.lock:
                return self.dynamics._route(request, rest, self.session)
        except DynamicsError as error:
            return error.to_response(request)

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return self.dynamics.refusal(request, status, code, message)


def _refer(request: Request, known: dict[str, str], session: Session) -> None:
    """Replace ``$1`` in address and bindings by what that operation of the change set made."""
    root = f"/{session.name}/api/data/{session.version}/"
    for content_id, address in known.items():
        if request.target.startswith(f"{root}${content_id}"):
            request.target = address + request.target.removeprefix(f"{root}${content_id}")
        request.body = request.body.replace(f'"${content_id}"'.encode(), f'"{address}"'.encode())
