"""Microsoft Graph's routes and batches."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable

from simulator.graph.caller import Caller, identify
from simulator.graph.directory import Directory
from simulator.graph.errors import GraphError
from simulator.graph.service_principals import ServicePrincipals
from simulator.metadata import graph_metadata
from simulator.simulation import Simulation
from simulator.web.faults import serve_in_batch
from simulator.web.message import CaseBlind, Request, Response

BATCH_LIMIT = 20
Handler = Callable[..., Response]


class Graph:
    """The system behind the ``graph`` listener."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        metadata = graph_metadata()
        self._metadata = metadata
        self._principals = ServicePrincipals(simulation, metadata)
        directory = Directory(simulation, metadata)
        principal = r"/servicePrincipals(?:\(appId='(?P<app_id>[^']*)'\)|/(?P<object_id>[^/]+))"
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile("/organization"), directory.organizations),
            ("GET", re.compile("/subscribedSkus"), directory.skus),
            ("GET", re.compile("/servicePrincipals"), self._principals.list_all),
            ("GET", re.compile(principal), self._principals.get),
            ("PATCH", re.compile(principal), self._principals.update),
            ("GET", re.compile("/users"), directory.users),
            ("GET", re.compile("/users/(?P<name>[^/]+)"), directory.user),
            (
                "GET",
                re.compile("/users/(?P<name>[^/]+)/mailboxSettings"),
                directory.mailbox_settings,
            ),
            ("GET", re.compile("/me"), directory.me),
            (
                "GET",
                re.compile("/directoryRoles/roleTemplateId=(?P<template>[^/]+)/members"),
                directory.role_members,
            ),
        ]

    def forget(self) -> None:
        """Drop what is remembered beside the world, after a reset."""
        self._principals.forget()

    def answer(self, request: Request) -> Response:
        try:
            response = self._route(request)
        except GraphError as error:
            response = error.to_response(request)
        own = str(uuid.uuid4())
        response.with_header("request-id", own)
        response.with_header("client-request-id", request.header("client-request-id") or own)
        return response

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        response = GraphError(status, code, message).to_response(request)
        return response.with_header("request-id", str(uuid.uuid4()))

    def _route(self, request: Request) -> Response:
        version, path = request.path[:5], request.path[5:]
        if version != "/v1.0":
            raise GraphError(400, "BadRequest", "Invalid version.")
        if path == "/$metadata" and request.method == "GET":
            return Response(200, self._metadata.text, [("Content-Type", "application/xml")])
        if path == "/$batch" and request.method == "POST" and not request.in_batch:
            return self._batch(request)
        matches = [(m, p.fullmatch(path), h) for m, p, h in self._routes]
        fitting = [(method, match, handler) for method, match, handler in matches if match]
        for method, match, handler in fitting:
            if method == request.method:
                with self._simulation.world.lock:
                    caller = identify(self._simulation, request)
                    return self._call(handler, request, caller, match)
        if fitting:
            raise GraphError(405)
        segment = path.strip("/").partition("/")[0]
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")

    @staticmethod
    def _call(handler: Handler, request: Request, caller: Caller, match: re.Match[str]) -> Response:
        named = {name: value or "" for name, value in match.groupdict().items()}
        return handler(request, caller, **named)

    def _batch(self, request: Request) -> Response:
        """At most 20 requests, each answered on its own; the order of answers means nothing.

        Source: "Combine multiple HTTP requests using JSON batching".
        """
        try:
            body = request.json()
            items = body["requests"] if isinstance(body, dict) else []
            parts = [(str(i["id"]), self._part(i, request)) for i in items]
        except (ValueError, KeyError, TypeError) as error:
            raise GraphError(400, "BadRequest", "Invalid batch payload format.") from error
        if len(parts) > BATCH_LIMIT:
            text = f"Number of batch request steps exceeds the maximum value of {BATCH_LIMIT}."
            raise GraphError(400, "MaximumValueExceeded", text)
        if len({part_id for part_id, _ in parts}) < len(parts):
            raise GraphError(400, "BadRequest", "The ids of batch requests must be unique.")
        answers = []
        for part_id, part in reversed(parts):
            simulation = self._simulation
            response = serve_in_batch(self, "graph", part, simulation.dials, simulation.calls)
            answers.append(
                {
                    "id": part_id,
                    "status": response.status,
                    "headers": dict(response.headers),
                    "body": json.loads(response.body) if response.body else None,
                }
            )
        return Response.of_json({"responses": answers})

    @staticmethod
    def _part(item: dict[str, object], outer: Request) -> Request:
        sent = item.get("headers")
        headers = CaseBlind(sent if isinstance(sent, dict) else {})
        headers["Authorization"] = outer.header("Authorization")
        body = json.dumps(item["body"]).encode() if "body" in item else b""
        target = "/v1.0/" + str(item["url"]).lstrip("/")
        return Request(str(item["method"]).upper(), target, headers, body, outer.connection)
