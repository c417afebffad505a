"""The tokens that Entra ID issues: for applications, for people, and the identity tokens."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Sequence

from simulator.entra.errors import SignInError
from simulator.entra.state import Application, Person, Tenant
from simulator.simulation import Simulation
from simulator.tokens import encode

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
GRAPH_NAMES = ("https://graph.microsoft.com", GRAPH_APP_ID)
IDENTITY_SCOPES = {"openid", "profile", "offline_access", "email"}


def lifetime_s(simulation: Simulation) -> int:
    """Seconds that an access token lives."""
    return simulation.dials.setting("entra/token_seconds", 3599)


def graph_scopes(simulation: Simulation, scope: str) -> tuple[str, list[str]]:
    """The resource and the permissions that a scope text asks for; resource empty if none.

    :raises SignInError: a resource that is not Microsoft Graph.
    """
    resource, wanted = "", []
    for item in scope.split():
        if item in IDENTITY_SCOPES:
            continue
        base, slash, permission = item.rpartition("/")
        base = base.rstrip("/") if slash else GRAPH_NAMES[0]
        if base not in (simulation.places.graph, *GRAPH_NAMES):
            text = (
                f"The resource principal named {base} was not found in the tenant. This can happen"
                " if the application has not been installed by the administrator of the tenant or"
                " consented to by any user in the tenant."
            )
            raise SignInError("invalid_resource", 500011, text)
        resource = base
        wanted.append(permission)
    return resource, wanted


def application_token(
    simulation: Simulation, tenant: Tenant, application: Application, resource: str
) -> str:
    """An access token for Microsoft Graph with the application permissions as roles."""
    claims = _common(simulation, tenant, application, resource)
    claims |= {"oid": application.object_id, "sub": application.object_id, "idtyp": "app"}
    if application.permissions:
        # Without any consent Entra ID leaves the claim out and still issues the token.
        claims["roles"] = list(application.permissions)
    return simulation.entra_key.sign(claims)


def person_token(
    simulation: Simulation,
    tenant: Tenant,
    application: Application,
    person: Person,
    resource: str,
    scopes: Sequence[str],
) -> str:
    """An access token for Microsoft Graph on behalf of a person."""
    claims = _common(simulation, tenant, application, resource)
    claims |= {
        "oid": person.id,
        "sub": _subject(person, application),
        "idtyp": "user",
        "name": person.name,
        "upn": person.username,
        "unique_name": person.username,
        "scp": " ".join(scopes),
        "wids": list(person.directory_roles),
    }
    return simulation.entra_key.sign(claims)


def identity_token(
    simulation: Simulation,
    tenant: Tenant,
    application: Application,
    person: Person,
    nonce: str,
) -> str:
    """An identity token with the app roles of the person."""
    now = int(time.time())
    claims: dict[str, object] = {
        "ver": "2.0",
        "iss": f"{simulation.places.entra}/{tenant.id}/v2.0",
        "aud": application.client_id,
        "tid": tenant.id,
        "oid": person.id,
        "sub": _subject(person, application),
        "name": person.name,
        "preferred_username": person.username,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s(simulation),
        "uti": encode(uuid.uuid4().bytes),
        "sid": str(uuid.uuid4()),
    }
    if person.roles:
        claims["roles"] = list(person.roles)
    if nonce:
        claims["nonce"] = nonce
    return simulation.entra_key.sign(claims)


def client_info(tenant: Tenant, person: Person) -> str:
    """The account of a person in the form that Microsoft's libraries ask for (``client_info=1``)."""
    return encode(json.dumps({"uid": person.id, "utid": tenant.id}).encode())


def _common(
    simulation: Simulation, tenant: Tenant, application: Application, resource: str
) -> dict[str, object]:
    now = int(time.time())
    return {
        "aud": resource,
        # GUESS: the issuer of Graph tokens; nobody outside Graph reads it.
        "iss": f"{simulation.places.entra}/{tenant.id}/",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s(simulation),
        "app_displayname": application.name,
        "appid": application.client_id,
        "tid": tenant.id,
        "uti": encode(uuid.uuid4().bytes),
        "ver": "1.0",
    }


def _subject(person: Person, application: Application) -> str:
    """Pairwise: one person has another subject at each application."""
    text = f"{person.id}/{application.client_id}"
    return encode(hashlib.sha256(text.encode()).digest())
