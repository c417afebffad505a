"""Entra ID's TLS endpoints: discovery, keys, tokens."""

from __future__ import annotations

from collections.abc import Callable

from simulator.entra import errors
from simulator.entra.errors import SignInError
from simulator.entra.grants import Grants
from simulator.entra.state import Tenant
from simulator.entra.token_endpoint import TokenEndpoint
from simulator.simulation import Simulation
from simulator.web.message import Request, Response

ANY_TENANT = ("common", "organizations", "consumers")


class Entra:
    """The system behind the ``entra`` listener."""

    def __init__(self, simulation: Simulation, grants: Grants) -> None:
        self._simulation = simulation
        self._tokens = TokenEndpoint(simulation, grants)
        self._routes: dict[tuple[str, str], Callable[[Request, Tenant], Response]] = {
            ("GET", "v2.0/.well-known/openid-configuration"): self._configuration,
            ("GET", "discovery/v2.0/keys"): self._keys,
            ("POST", "oauth2/v2.0/token"): self._tokens.answer,
            ("POST", "oauth2/v2.0/devicecode"): self._tokens.start_device_code,
        }

    def answer(self, request: Request) -> Response:
        name, _, rest = request.path.lstrip("/").partition("/")
        route = self._routes.get((request.method, rest))
        if route is None:
            return Response.of_json({"error": "not_found"}, 404)
        try:
            with self._simulation.world.lock:
                return self._stamped(request, route(request, self._tenant(name)))
        except SignInError as error:
            return self._stamped(request, error.to_response(request))

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        word = code or {429: "throttled", 503: "temporarily_unavailable"}.get(
            status, "server_error"
        )
        text = message or "AADSTS90033: A transient error has occurred. Please try again."
        return self._stamped(request, SignInError(word, 0, text, status).to_response(request))

    def _tenant(self, name: str) -> Tenant:
        if name in ANY_TENANT:
            text = (
                "Application is not configured as a multi-tenant application. Usage of the /common"
                " endpoint is not supported for such applications."
            )
            raise SignInError("invalid_request", 50194, text)
        tenant = self._simulation.world.tenant(name)
        if tenant is None:
            raise errors.tenant_unknown(name)
        return tenant

    def _configuration(self, request: Request, tenant: Tenant) -> Response:
        """The discovery document; the pages a browser opens are plain http on localhost, because a
        browser does not know the simulator's certification authority."""
        base = f"{self._simulation.places.entra}/{tenant.id}"
        pages = f"{self._simulation.places.authorize}/{tenant.id}"
        return Response.of_json(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{pages}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "end_session_endpoint": f"{pages}/oauth2/v2.0/logout",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "tenant_region_scope": "EU",
                "response_modes_supported": ["query"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "claims_supported": ["sub", "iss", "aud", "exp", "oid", "tid", "name", "roles"],
                "msgraph_host": self._simulation.places.graph.removeprefix("https://"),
            }
        )

    def _keys(self, request: Request, tenant: Tenant) -> Response:
        return Response.of_json(self._simulation.entra_key.jwks())

    @staticmethod
    def _stamped(request: Request, response: Response) -> Response:
        """Entra ID repeats the caller's request id, for support cases."""
        sent = request.header("client-request-id")
        return response.with_header("client-request-id", sent) if sent else response
