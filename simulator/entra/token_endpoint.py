"""The token endpoint: client credentials, authorization code with PKCE, device code, refresh."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from simulator.entra import errors, issuing
from simulator.entra.credentials import DEVICE_CODE, identify
from simulator.entra.errors import SignInError
from simulator.entra.grants import Grant, Grants
from simulator.entra.state import Application, Tenant
from simulator.simulation import Simulation
from simulator.tokens import encode
from simulator.web.message import Request, Response


class TokenEndpoint:
    """Issues tokens; a refusal is raised as SignInError."""

    def __init__(self, simulation: Simulation, grants: Grants) -> None:
        self._simulation, self._grants = simulation, grants
        self._kinds: dict[str, Callable[[dict[str, str], Tenant, Application], Response]] = {
            "client_credentials": self._client_credentials,
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
            DEVICE_CODE: self._device_code,
        }

    def answer(self, request: Request, tenant: Tenant) -> Response:
        form = request.form()
        kind = form.get("grant_type", "")
        if not kind:
            raise errors.parameter_missing("grant_type")
        if kind not in self._kinds:
            text = f"The app requested an unsupported grant type '{kind}'."
            raise SignInError("unsupported_grant_type", 70003, text)
        base = f"{self._simulation.places.entra}/{tenant.id}"
        audiences = [f"{base}/oauth2/v2.0/token", f"{base}/v2.0", self._address(request)]
        application = identify(request, form, tenant, audiences)
        return self._kinds[kind](form, tenant, application).with_header("Cache-Control", "no-store")

    def _address(self, request: Request) -> str:
        """The address that the client called: it may name the tenant by domain."""
        return self._simulation.places.entra + request.path

    def start_device_code(self, request: Request, tenant: Tenant) -> Response:
        """Hand out a device code and the code that a person types on the device page."""
        form = request.form()
        application = tenant.application(form.get("client_id", ""))
        if application is None:
            raise errors.application_unknown(form.get("client_id", ""), tenant.name)
        issuing.graph_scopes(self._simulation, form.get("scope", ""))
        grant = Grant(tenant.id, application.client_id, form.get("scope", ""))
        device_code, user_code = self._grants.new_device_code(grant)
        page = f"{self._simulation.places.authorize}/devicelogin"
        return Response.of_json(
            {
                "user_code": user_code,
                "device_code": device_code,
                "verification_uri": page,
                "expires_in": 600,
                "interval": self._simulation.dials.setting("entra/device_interval_s", 1),
                "message": f"To sign in, use a web browser to open the page {page} and enter the"
                f" code {user_code} to authenticate.",
            }
        )

    def _client_credentials(
        self, form: dict[str, str], tenant: Tenant, application: Application
    ) -> Response:
        if not (form.get("client_assertion") or form.get("client_secret")):
            raise errors.credential_missing()
        scope = form.get("scope", "")
        resource, wanted = issuing.graph_scopes(self._simulation, scope)
        if wanted != [".default"]:
            text = (
                f"The provided value for scope {scope} is not valid. Client credential flows must"
                " have a scope value with /.default suffixed to the resource identifier"
                " (application ID URI)."
            )
            raise SignInError("invalid_scope", 1002012, text)
        token = issuing.application_token(self._simulation, tenant, application, resource)
        seconds = issuing.lifetime_s(self._simulation)
        return Response.of_json(
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": token,
            }
        )

    def _authorization_code(
        self, form: dict[str, str], tenant: Tenant, application: Application
    ) -> Response:
        grant = self._grants.code(form.get("code", ""))
        if grant is None or (grant.tenant_id, grant.client_id) != (
            tenant.id,
            application.client_id,
        ):
            text = "The provided authorization code or refresh token is not valid for this application."
            raise SignInError("invalid_grant", 70000, text)
        if grant.is_expired:
            text = "The provided authorization code or refresh token has expired due to inactivity."
            raise SignInError("invalid_grant", 70008, text)
        if grant.redirect_uri != form.get("redirect_uri", ""):
            text = (
                "The reply address does not match the reply address provided when requesting"
                " Authorization code."
            )
            raise SignInError("invalid_grant", 500112, text)
        verifier = form.get("code_verifier", "")
        if (
            grant.challenge
            and encode(hashlib.sha256(verifier.encode()).digest()) != grant.challenge
        ):
            text = (
                "The Code_Verifier does not match the code_challenge supplied in the authorization"
                " request."
            )
            raise SignInError("invalid_grant", 501481, text)
        if not self._grants.redeem(grant):
            text = "OAuth2 Authorization code was already redeemed, please retry with a new code."
            raise SignInError("invalid_grant", 54005, text)
        return self._signed_in(grant, tenant, application, form)

    def _device_code(
        self, form: dict[str, str], tenant: Tenant, application: Application
    ) -> Response:
        grant = self._grants.device_code(form.get("device_code", ""))
        if grant is None or grant.client_id != application.client_id:
            raise SignInError("bad_verification_code", 70019, "Verification code not found.")
        if grant.is_declined:
            text = "The end-user denied the authorization request."
            raise SignInError("authorization_declined", 70018, text)
        if grant.is_expired:
            raise SignInError(
                "expired_token", 70020, "The provided value for the device_code expired."
            )
        if grant.person is None:
            text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
            raise SignInError("authorization_pending", 70016, text)
        if not self._grants.redeem(grant):
            raise SignInError("bad_verification_code", 70019, "Verification code already used.")
        return self._signed_in(grant, tenant, application, form)

    def _refresh_token(
        self, form: dict[str, str], tenant: Tenant, application: Application
    ) -> Response:
        grant = self._grants.refresh_token(form.get("refresh_token", ""))
        if grant is None or grant.client_id != application.client_id:
            text = "The refresh token has expired or is invalid."
            raise SignInError("invalid_grant", 700082, text)
        return self._signed_in(grant, tenant, application, form)

    def _signed_in(
        self, grant: Grant, tenant: Tenant, application: Application, form: dict[str, str]
    ) -> Response:
        person = tenant.person(grant.person.username) if grant.person else None
        if person is None or not person.is_enabled:
            text = "The user account is disabled."
            raise SignInError("invalid_grant", 50057, text)
        scope = form.get("scope") or grant.scope
        resource, wanted = issuing.graph_scopes(self._simulation, scope)
        allowed = [s for s in wanted if s in (*application.scopes, "User.Read")]
        if wanted and wanted != [".default"] and len(allowed) < len(wanted):
            text = (
                f"The user or administrator has not consented to use the application with ID"
                f" '{application.client_id}' named '{application.name}'. Send an interactive"
                " authorization request for this user and resource."
            )
            raise SignInError("invalid_grant", 65001, text)
        granted = allowed if wanted and wanted != [".default"] else list(application.scopes)
        resource = resource or issuing.GRAPH_NAMES[0]
        simulation = self._simulation
        answer: dict[str, object] = {
            "token_type": "Bearer",
            "scope": " ".join([*granted, "openid", "profile"]),
            "expires_in": issuing.lifetime_s(simulation),
            "ext_expires_in": issuing.lifetime_s(simulation),
            "access_token": issuing.person_token(
                simulation, tenant, application, person, resource, granted
            ),
        }
        if "openid" in scope.split():
            answer["id_token"] = issuing.identity_token(
                simulation, tenant, application, person, grant.nonce
            )
        if "offline_access" in scope.split():
            answer["refresh_token"] = self._grants.new_refresh_token(grant)
        if form.get("client_info") == "1":
            answer["client_info"] = issuing.client_info(tenant, person)
        return Response.of_json(answer)
