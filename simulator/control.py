"""The control API: dials, ledger, calls, the world, reset. Plain http, off unless asked for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import cast

from simulator import chain
from simulator.dials import BadDial
from simulator.json_state import look_up, put, remove, to_json
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

Handler = Callable[[Request], Response]


class Control:
    """The system behind the ``control`` listener. What it arranges is no effect: no ledger entry."""

    def __init__(self, simulation: Simulation, reset: Callable[[], None]) -> None:
        self._simulation, self._reset = simulation, reset
        self._routes: dict[tuple[str, str], Handler] = {
            ("POST", "/reset"): self._on_reset,
            ("GET", "/dials"): lambda _: Response.of_json(simulation.dials.to_json()),
            ("POST", "/dials"): self._turn,
            ("DELETE", "/dials"): self._turn_back,
            ("GET", "/ledger"): self._ledger,
            ("GET", "/calls"): lambda _: Response.of_json(simulation.calls.to_json()),
            ("GET", "/world"): self._look,
            ("POST", "/world"): self._arrange,
            ("GET", "/chain"): self._chain,
        }

    def answer(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return self.refusal(request, 404, "", f"no {request.method} {request.path}")
        try:
            return route(request)
        except KeyError as error:
            return self.refusal(request, 404, "", f"nothing is at {error}")
        except (BadDial, TypeError, ValueError) as error:
            return self.refusal(request, 400, "", str(error))

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return Response.of_json({"error": message or code}, status)

    def _on_reset(self, request: Request) -> Response:
        self._reset()
        return Response.of_json({})

    def _turn(self, request: Request) -> Response:
        """One dial, or a list of them."""
        given = request.json()
        dials = given if isinstance(given, list) else [given]
        if not all(isinstance(dial, dict) for dial in dials):
            raise BadDial("a dial is a JSON object")
        turned = cast(list[Mapping[str, object]], dials)
        return Response.of_json({"ids": [self._simulation.dials.add(dial) for dial in turned]})

    def _turn_back(self, request: Request) -> Response:
        """``?id=`` one fault or setting; without it all, back to those of the start."""
        wanted = request.query.get("id", "")
        if not wanted:
            self._simulation.dials.clear()
        elif not self._simulation.dials.remove(wanted):
            raise KeyError(wanted)
        return Response.of_json({})

    def _ledger(self, request: Request) -> Response:
        return Response.of_json(self._simulation.ledger.entries(int(request.query.get("since", 0))))

    def _look(self, request: Request) -> Response:
        """``?path=tenants/0/principals/0/names``; without it the world without CRM records."""
        world = self._simulation.world
        with world.lock:
            path = _path(request.query.get("path", ""))
            if path:
                return Response.of_json(to_json(look_up(world, path)))
            whole = dataclasses.replace(world, databases={})
            return Response.of_json(to_json(whole))

    def _arrange(self, request: Request) -> Response:
        """``{"path": …, "value": …}`` or ``{"path": …, "remove": true}``, one or a list."""
        given = request.json()
        changes = cast(list[Mapping[str, object]], given if isinstance(given, list) else [given])
        world = self._simulation.world
        with world.lock:
            for change in changes:
                path = _path(str(change["path"]))
                if change.get("remove"):
                    remove(world, path)
                else:
                    put(world, path, change["value"])
                if path[0] == "databases":
                    self._touch(path)
            world.changed()
        return Response.of_json({})

    def _touch(self, path: list[str]) -> None:
        """A record that was arranged by hand gets a new version, as any other change."""
        if len(path) < 5 or path[2] != "tables":
            return
        database = self._simulation.world.databases[path[1]]
        entity, key = path[3], path[4]
        record = database.table(entity).get(key)
        if record is not None:
            database.touch(entity, record, key)

    def _chain(self, request: Request) -> Response:
        """``?organization=…&mailbox=…``: the first missing link, or null."""
        query, world = request.query, self._simulation.world
        with world.lock:
            database = world.databases[query["organization"]]
            record = database.table("mailbox")[query["mailbox"]]
            missing = chain.missing_link(world, query["organization"], record)
        return Response.of_json(dataclasses.asdict(missing) if missing else None)


def _path(text: str) -> list[str]:
    """Steps of a path: a JSON list, or text with slashes."""
    if text.startswith("["):
        return [str(step) for step in json.loads(text)]
    return [step for step in text.split("/") if step]
