"""What the token endpoint and the sign-in page of a farm share: clients, resources, accounts."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.adfs.errors import NO_RESOURCE, AdfsError, client_unknown
from simulator.adfs.state import Client
from simulator.dynamics.callers import accepted_audiences
from simulator.entra.state import Person
from simulator.simulation import Simulation


def client_of(simulation: Simulation, kind: str, sent: Mapping[str, str]) -> Client:
    """The registered client that a request names.

    :raises AdfsError: there is none.
    """
    farm = next(farm for farm in simulation.world.farms if farm.kind == kind)
    for client in farm.clients:
        if client.client_id == sent.get("client_id"):
            return client
    raise client_unknown()


def resource_of(simulation: Simulation, kind: str, sent: Mapping[str, str]) -> str:
    """The relying party that a token is asked for, as this kind of AD FS reads it.

    :raises AdfsError: none is named, or it is not registered.
    """
    resource = sent.get("resource", "")
    if not resource and kind == "2019":
        # AD FS 2019 takes the resource from scope, "https://host/scope-name".
        asked = [scope for scope in sent.get("scope", "").split() if "://" in scope]
        resource = asked[0].rpartition("/")[0] if asked else ""
    if not resource:
        raise AdfsError("invalid_request", NO_RESOURCE)
    if resource.rstrip("/") not in accepted_audiences(simulation):
        text = (
            "MSIS9602: The received 'resource' parameter is invalid. The authorization server"
            f" can not find a registered resource with the specified identifier '{resource}'."
        )
        raise AdfsError("invalid_resource", text)
    return resource


def people(simulation: Simulation) -> list[Person]:
    """The Windows accounts of the company, as people who sign in."""
    found = []
    for account in simulation.world.accounts:
        domain, _, name = account.name.partition("\\")
        upn = f"{name}@{domain.lower()}.example"
        found.append(Person(upn, account.name, upn))
    return found


def upn_of(simulation: Simulation, username: str, password: str) -> str:
    """The user principal name behind a user name and password.

    :raises AdfsError: they do not fit.
    """
    for account in simulation.world.accounts:
        domain, _, name = account.name.partition("\\")
        upn = f"{name}@{domain.lower()}.example"
        if username.lower() in (upn, account.name.lower()) and password == account.password:
            return upn
    raise AdfsError("invalid_grant", "MSIS9659: Invalid 'username' or 'password'.")
