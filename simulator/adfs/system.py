"""AD FS: discovery, keys, token endpoint with password grant and authorization code.

The kinds differ where it hurts clients: AD FS 2019 reads the resource from ``scope``, AD FS 2016 must
be told by the parameter ``resource``. Codes come from the simulator's sign-in page, as with Entra ID.
"""

from __future__ import annotations

import hashlib
import time
import uuid

from simulator.adfs.state import Client, Farm
from simulator.dynamics.callers import accepted_audiences
from simulator.entra.grants import Grants
from simulator.simulation import Simulation
from simulator.tokens import encode
from simulator.web.message import Request, Response

NO_RESOURCE = (
    "MSIS9601: The 'resource' parameter is missing in the request. Send the 'resource' parameter"
    " that contains the resource identifier's value."
)


class AdfsError(Exception):
    """A refused token request."""

    def __init__(self, error: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.error, self.text, self.status = error, text, status

    def to_response(self) -> Response:
        body = {"error": self.error, "error_description": self.text}
        return Response.of_json(body, self.status)


class Adfs:
    """One farm, behind the listener ``adfs2019`` or ``adfs2016``."""

    def __init__(self, simulation: Simulation, grants: Grants, kind: str) -> None:
        self._simulation, self._grants, self._kind = simulation, grants, kind

    def answer(self, request: Request) -> Response:
        path = request.path.lower()
        with self._simulation.world.lock:
            if path == "/adfs/.well-known/openid-configuration":
                return self._configuration()
            if path == "/adfs/discovery/keys":
                return Response.of_json(self._simulation.farm_key.jwks())
            if path.rstrip("/") == "/adfs/oauth2/token" and request.method == "POST":
                try:
                    return self._token(request)
                except AdfsError as error:
                    return error.to_response()
        if path.startswith("/adfs/ls"):
            return Response.of_html("<h1>Sign in</h1><p>Contoso AD FS, forms sign-in.</p>")
        return Response.of_html("<h1>404</h1>", 404)

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return AdfsError(code or "server_error", message or "MSIS9605", status).to_response()

    @property
    def _base(self) -> str:
        places = self._simulation.places
        return f"{places.adfs2019 if self._kind == '2019' else places.adfs2016}/adfs"

    @property
    def _farm(self) -> Farm:
        return next(farm for farm in self._simulation.world.farms if farm.kind == self._kind)

    def _configuration(self) -> Response:
        return Response.of_json(
            {
                "issuer": self._base,
                "authorization_endpoint": f"{self._base}/oauth2/authorize/",
                "token_endpoint": f"{self._base}/oauth2/token/",
                "jwks_uri": f"{self._base}/discovery/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "client_secret_basic",
                    "private_key_jwt",
                ],
                "response_types_supported": ["code", "id_token", "code id_token"],
                "response_modes_supported": ["query", "fragment", "form_post"],
                "grant_types_supported": ["authorization_code", "refresh_token", "password"],
                "subject_types_supported": ["pairwise"],
                "scopes_supported": ["openid", "profile", "user_impersonation", "allatclaims"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _token(self, request: Request) -> Response:
        form = request.form()
        client = self._client(form)
        resource = self._resource(form)
        kind = form.get("grant_type")
        if kind != "password":
            text = f"MSIS9611: The authorization server does not support the grant_type '{kind}'."
            raise AdfsError("unsupported_grant_type", text)
        if not client.may_use_password:
            text = "MSIS9622: Client authentication failed. Please verify the credential provided."
            raise AdfsError("invalid_client", text, 401)
        upn = self._signed_in(form.get("username", ""), form.get("password", ""))
        seconds = self._simulation.dials.setting("adfs/token_seconds", 3600)
        answer: dict[str, object] = {
            "access_token": self._access_token(client, resource, upn, seconds),
            "token_type": "bearer",
            "expires_in": seconds,
            "resource": resource,
        }
        if "openid" in form.get("scope", "").split():
            answer["id_token"] = self._identity_token(client, upn, seconds)
            answer["scope"] = "openid"
        return Response.of_json(answer)

    def _client(self, form: dict[str, str]) -> Client:
        for client in self._farm.clients:
            if client.client_id == form.get("client_id"):
                return client
        text = (
            "MSIS9223: Received invalid OAuth authorization request. The received 'client_id' is"
            " invalid as no registered client was found with this client identifier."
        )
        raise AdfsError("invalid_client", text, 401)

    def _resource(self, form: dict[str, str]) -> str:
        """The relying party that a token is asked for, as the kind of AD FS reads it."""
        resource = form.get("resource", "")
        if not resource and self._kind == "2019":
            # AD FS 2019 takes the resource from scope, "https://host/scope-name".
            asked = [s for s in form.get("scope", "").split() if "://" in s]
            resource = asked[0].rpartition("/")[0] if asked else ""
        if not resource:
            raise AdfsError("invalid_request", NO_RESOURCE)
        if resource.rstrip("/") not in accepted_audiences(self._simulation):
            text = (
                "MSIS9602: The received 'resource' parameter is invalid. The authorization server"
                f" can not find a registered resource with the specified identifier '{resource}'."
            )
            raise AdfsError("invalid_resource", text)
        return resource

    def _signed_in(self, username: str, password: str) -> str:
        for account in self._simulation.world.accounts:
            domain, _, name = account.name.partition("\\")
            upn = f"{name}@{domain.lower()}.example"
            if username.lower() in (upn, account.name.lower()) and password == account.password:
                return upn
        text = "MSIS9659: Invalid 'username' or 'password'."
        raise AdfsError("invalid_grant", text)

    def _access_token(self, client: Client, resource: str, upn: str, seconds: int) -> str:
        now = int(time.time())
        return self._simulation.farm_key.sign(
            {
                "aud": resource,
                "iss": f"{self._base}/services/trust",
                "iat": now,
                "nbf": now,
                "exp": now + seconds,
                "apptype": "Public",
                "appid": client.client_id,
                "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
                "upn": upn,
                "ver": "1.0",
                "scp": "user_impersonation",
                "jti": str(uuid.uuid4()),
            }
        )

    def _identity_token(self, client: Client, upn: str, seconds: int) -> str:
        now = int(time.time())
        subject = encode(hashlib.sha256(f"{upn}/{client.client_id}".encode()).digest())
        return self._simulation.farm_key.sign(
            {
                "aud": client.client_id,
                "iss": self._base,
                "iat": now,
                "nbf": now,
                "exp": now + seconds,
                "sub": subject,
                "upn": upn,
                "unique_name": upn,
            }
        )
