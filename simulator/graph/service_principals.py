"""Service principals: reads that may be stale, and the PATCH of keys and names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import cast

from simulator.entra.state import KeyCredential, ServicePrincipal
from simulator.graph import key_credentials
from simulator.graph.caller import MAY_READ, Caller
from simulator.graph.errors import GraphError, not_found
from simulator.graph.payload import body_of
from simulator.graph.query import listed, selected
from simulator.odata.csdl import Metadata
from simulator.odata.filter import Row
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

UPDATABLE = ("keyCredentials", "servicePrincipalNames")


class ServicePrincipals:
    """The entity set ``servicePrincipals``."""

    def __init__(self, simulation: Simulation, metadata: Metadata) -> None:
        self._simulation, self._metadata = simulation, metadata
        self._kind = metadata.types["servicePrincipal"]
        self._past: dict[str, list[tuple[float, ServicePrincipal]]] = {}

    def forget(self) -> None:
        """Drop the earlier states, after a reset."""
        self._past.clear()

    def list_all(self, request: Request, caller: Caller) -> Response:
        caller.demand(MAY_READ["servicePrincipals"])
        resources = [
            cast(Row, self._resource(self._seen(principal, request), with_key=False))
            for principal in caller.tenant.principals
        ]
        context = f"{self._simulation.places.graph}/v1.0/$metadata#servicePrincipals"
        return Response.of_json(
            {"@odata.context": context, "value": listed(resources, request, self._kind)}
        )

    def get(self, request: Request, caller: Caller, app_id: str, object_id: str) -> Response:
        """One principal, by appId (alternate key) or by object id."""
        caller.demand(MAY_READ["servicePrincipals"])
        principal = self._seen(_find(caller, app_id, object_id), request)
        # The key's bytes come only when one object is asked for and keyCredentials is selected.
        # Source: keyCredential resource type, property "key".
        with_key = "keyCredentials" in request.query.get("$select", "")
        resource = self._resource(principal, with_key)
        context = f"{self._simulation.places.graph}/v1.0/$metadata#servicePrincipals/$entity"
        return Response.of_json(
            {"@odata.context": context, **selected(resource, request, self._kind)}
        )

    def update(self, request: Request, caller: Caller, app_id: str, object_id: str) -> Response:
        """Replace keyCredentials or servicePrincipalNames; 204."""
        caller.demand_principal_write()
        principal = _find(caller, app_id, object_id)
        body = body_of(request, self._kind, self._metadata)
        if unknown := [name for name in body if name not in UPDATABLE]:
            text = f"Property '{unknown[0]}' is read-only and cannot be set."
            raise GraphError(400, "Request_BadRequest", text)
        keys = principal.keys
        if "keyCredentials" in body:
            sent = cast(list[Mapping[str, object]], body["keyCredentials"])
            keys = key_credentials.replaced(principal.keys, sent)
        names = cast(list[str], body.get("servicePrincipalNames", principal.names))
        if len(set(names)) < len(names) or not all(names):
            text = "One or more values of property 'servicePrincipalNames' are invalid."
            raise GraphError(400, "Request_BadRequest", text)
        if not request.is_silent:
            self._apply(principal, keys, names, caller, request)
        return Response(204)

    def _apply(
        self,
        principal: ServicePrincipal,
        keys: list[KeyCredential],
        names: list[str],
        caller: Caller,
        request: Request,
    ) -> None:
        if keys == principal.keys and names == principal.names:
            return
        before = ServicePrincipal(**vars(principal))
        self._past.setdefault(principal.id, []).append((time.monotonic(), before))
        principal.keys, principal.names = keys, names
        self._simulation.world.changed()
        for effect, old, new in (
            ("keyCredentials", described(before.keys), described(keys)),
            ("servicePrincipalNames", before.names, names),
        ):
            if old != new:
                self._simulation.ledger.record(
                    "graph",
                    f"servicePrincipal.{effect}",
                    f"{caller.tenant.id}/{principal.app_id}",
                    caller.name,
                    old,
                    new,
                    client_request_id=request.header("client-request-id"),
                )

    def _seen(self, principal: ServicePrincipal, request: Request) -> ServicePrincipal:
        """The principal as a read sees it: for some seconds after a write, as it was before."""
        seconds = request.stale_s or self._simulation.dials.setting("graph/stale_seconds", 0.0)
        instant = time.monotonic() - seconds
        for changed_at, before in self._past.get(principal.id, []):
            if changed_at > instant:
                return before
        return principal

    def _resource(self, principal: ServicePrincipal, with_key: bool) -> dict[str, object]:
        return {
            "id": principal.id,
            "accountEnabled": principal.is_enabled,
            "appId": principal.app_id,
            "appDisplayName": principal.display_name,
            "displayName": principal.display_name,
            "servicePrincipalNames": list(principal.names),
            "servicePrincipalType": "Application",
            "keyCredentials": [key_credentials.to_graph(k, with_key) for k in principal.keys],
            "passwordCredentials": [],
            "tags": [],
        }


def described(keys: list[KeyCredential]) -> list[dict[str, str]]:
    """Keys for the ledger: id, thumbprint and end, without the bytes."""
    return [
        {"keyId": k.key_id, "thumbprint": key_credentials.thumbprint_of(k), "endDateTime": k.end}
        for k in keys
    ]


def _find(caller: Caller, app_id: str, object_id: str) -> ServicePrincipal:
    for principal in caller.tenant.principals:
        if principal.id == object_id.lower() or (app_id and principal.app_id == app_id.lower()):
            return principal
    raise not_found(app_id or object_id)
