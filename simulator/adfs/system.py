"""AD FS: discovery, keys, token endpoint with password grant, authorization code and refresh.

The kinds differ where it hurts clients: AD FS 2019 reads the resource from ``scope``, AD FS 2016 must
be told by the parameter ``resource``.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable

from simulator.adfs.errors import AdfsError, code_unfit
from simulator.adfs.farms import client_of, resource_of, upn_of
from simulator.adfs.state import Client
from simulator.entra.grants import Grant, Grants
from simulator.simulation import Simulation
from simulator.tokens import encode
from simulator.web.message import Request, Response


class Adfs:
    """One farm, behind the listener ``adfs2019`` or ``adfs2016``."""

    def __init__(self, simulation: Simulation, grants: Grants, kind: str) -> None:
        self._simulation, self._grants, self._kind = simulation, grants, kind
        self._grant_types: dict[str, Callable[[dict[str, str], Client], Response]] = {
            "password": self._password,
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
        }

    def answer(self, request: Request) -> Response:
        path = request.path.lower().rstrip("/")
        with self._simulation.world.lock:
            if path == "/adfs/.well-known/openid-configuration":
                return self._configuration()
            if path == "/adfs/discovery/keys":
                return Response.of_json(self._simulation.farm_key.jwks())
            if path == "/adfs/oauth2/token" and request.method == "POST":
                try:
                    return self._token(request)
                except AdfsError as error:
                    return error.to_response()
        if path == "/adfs/ls":
            return Response.of_html("<h1>Sign in</h1><p>Contoso AD FS, forms sign-in.</p>")
        return Response.of_html("<h1>404</h1>", 404)

    def refusal(self, request: Request, status: int, code: str, message: str) -> Response:
        return AdfsError(code or "server_error", message or "MSIS9605", status).to_response()

    @property
    def _base(self) -> str:
        places = self._simulation.places
        return f"{places.adfs2019 if self._kind == '2019' else places.adfs2016}/adfs"

    def _configuration(self) -> Response:
        """The discovery document; the page a browser opens is plain http, as with Entra ID."""
        pages = f"{self._simulation.places.authorize}/adfs{self._kind}"
        return Response.of_json(
            {
                "issuer": self._base,
                "authorization_endpoint": f"{pages}/oauth2/authorize/",
                "token_endpoint": f"{self._base}/oauth2/token/",
                "jwks_uri": f"{self._base}/discovery/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "client_secret_basic",
                    "private_key_jwt",
                ],
                "response_types_supported": ["code", "id_token", "code id_token"],
                "response_modes_supported": ["query", "fragment", "form_post"],
                "grant_types_supported": list(self._grant_types),
                "subject_types_supported": ["pairwise"],
                "scopes_supported": ["openid", "profile", "user_impersonation", "allatclaims"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _token(self, request: Request) -> Response:
        form = request.form()
        client = client_of(self._simulation, self._kind, form)
        kind = form.get("grant_type", "")
        if kind not in self._grant_types:
            text = f"MSIS9611: The authorization server does not support the grant_type '{kind}'."
            raise AdfsError("unsupported_grant_type", text)
        return self._grant_types[kind](form, client).with_header("Cache-Control", "no-store")

    def _password(self, form: dict[str, str], client: Client) -> Response:
        resource = resource_of(self._simulation, self._kind, form)
        if not client.may_use_password:
            text = "MSIS9622: Client authentication failed. Please verify the credential provided."
            raise AdfsError("invalid_client", text, 401)
        upn = upn_of(self._simulation, form.get("username", ""), form.get("password", ""))
        return self._issued(client, resource, upn, form.get("scope", ""), "")

    def _authorization_code(self, form: dict[str, str], client: Client) -> Response:
        grant = self._grants.code(form.get("code", ""))
        if grant is None or not self._fits(grant, client) or grant.is_expired:
            raise code_unfit()
        verifier = form.get("code_verifier", "")
        if (
            grant.challenge
            and encode(hashlib.sha256(verifier.encode()).digest()) != grant.challenge
        ):
            raise code_unfit()
        if grant.redirect_uri != form.get("redirect_uri") or not self._grants.redeem(grant):
            raise code_unfit()
        return self._of_grant(grant, client)

    def _refresh_token(self, form: dict[str, str], client: Client) -> Response:
        grant = self._grants.refresh_token(form.get("refresh_token", ""))
        if grant is None or not self._fits(grant, client):
            text = "MSIS9615: The refresh token received in 'refresh_token' parameter is invalid."
            raise AdfsError("invalid_grant", text)
        return self._of_grant(grant, client)

    def _fits(self, grant: Grant, client: Client) -> bool:
        return (grant.tenant_id, grant.client_id) == (self._kind, client.client_id)

    def _of_grant(self, grant: Grant, client: Client) -> Response:
        upn = grant.person.username if grant.person else ""
        refresh = self._grants.new_refresh_token(grant)
        return self._issued(client, grant.resource, upn, grant.scope, grant.nonce, refresh)

    def _issued(
        self, client: Client, resource: str, upn: str, scope: str, nonce: str, refresh: str = ""
    ) -> Response:
        seconds = self._simulation.dials.setting("adfs/token_seconds", 3600)
        answer: dict[str, object] = {
            "access_token": self._access_token(client, resource, upn, seconds),
            "token_type": "bearer",
            "expires_in": seconds,
            "resource": resource,
        }
        if refresh:
            answer |= {"refresh_token": refresh, "refresh_token_expires_in": 28799}
        if "openid" in scope.split():
            answer["id_token"] = self._identity_token(client, upn, nonce, seconds)
            answer["scope"] = "openid"
        return Response.of_json(answer)

    def _access_token(self, client: Client, resource: str, upn: str, seconds: int) -> str:
        claims = self._times(seconds) | {
            "aud": resource,
            "iss": f"{self._base}/services/trust",
            "apptype": "Public",
            "appid": client.client_id,
            "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "upn": upn,
            "ver": "1.0",
            "scp": "user_impersonation",
            "jti": str(uuid.uuid4()),
        }
        return self._simulation.farm_key.sign(claims)

    def _identity_token(self, client: Client, upn: str, nonce: str, seconds: int) -> str:
        subject = encode(hashlib.sha256(f"{upn}/{client.client_id}".encode()).digest())
        claims = self._times(seconds) | {
            "aud": client.client_id,
            "iss": self._base,
            "sub": subject,
            "upn": upn,
            "unique_name": upn,
        }
        return self._simulation.farm_key.sign(claims | ({"nonce": nonce} if nonce else {}))

    @staticmethod
    def _times(seconds: int) -> dict[str, object]:
        now = int(time.time())
        return {"iat": now, "nbf": now, "exp": now + seconds}
