"""Functions of the Web API: WhoAmI, RetrieveVersion, RetrieveCurrentOrganization, privileges."""

from __future__ import annotations

import re

from simulator.dynamics.callers import HIDDEN_ROLES, Caller
from simulator.dynamics.database import Database
from simulator.dynamics.errors import DynamicsError, does_not_exist
from simulator.dynamics.reading import JSON
from simulator.simulation import Simulation
from simulator.web.message import Response

ACCESS_TYPE = re.compile(
    r"RetrieveCurrentOrganization\(AccessType=(?:Microsoft\.Dynamics\.CRM\.EndpointAccessType)?"
    r"'(?P<type>Default|Internet|Intranet)'\)"
)
USER_PRIVILEGES = re.compile(
    r"systemusers\((?P<id>[0-9a-fA-F-]{36})\)/Microsoft\.Dynamics\.CRM\.RetrieveUserPrivileges"
    r"(?:\(\))?"
)


class Functions:
    """Functions of one organization."""

    def __init__(self, simulation: Simulation, organization: str, base: str) -> None:
        self._simulation, self._name, self._base = simulation, organization, base

    def answer(self, path: str, database: Database, caller: Caller) -> Response | None:
        """The answer, or None where the path is no function."""
        organization_id = next(iter(database.table("organization")))
        if path in ("WhoAmI", "WhoAmI()"):
            unit = str(next(iter(database.table("businessunit"))))
            return self._of(
                "WhoAmIResponse",
                BusinessUnitId=unit,
                UserId=caller.user_id,
                OrganizationId=organization_id,
            )
        if path in ("RetrieveVersion", "RetrieveVersion()"):
            return self._of("RetrieveVersionResponse", Version=self._version())
        if match := ACCESS_TYPE.fullmatch(path):
            return self._organization(database, organization_id, match["type"])
        if match := USER_PRIVILEGES.fullmatch(path):
            return self._privileges(database, match["id"].lower(), caller)
        return None

    def _organization(self, database: Database, organization_id: str, access_type: str) -> Response:
        record = database.table("organization")[organization_id]
        root = f"{self._simulation.places.crm}/{self._name}"
        services = {
            "OrganizationService": f"{root}/XRMServices/2011/Organization.svc",
            "OrganizationDataService": f"{root}/XRMServices/2011/OrganizationData.svc",
            "WebApplication": f"{root}/",
        }
        detail = {
            "OrganizationId": organization_id,
            "FriendlyName": record["name"],
            "OrganizationVersion": self._version(),
            "UrlName": self._name,
            "UniqueName": self._name,
            "State": "Enabled",
            "Endpoints": {
                "Count": len(services),
                "Keys": list(services),
                "Values": list(services.values()),
            },
        }
        del access_type
        return self._of("RetrieveCurrentOrganizationResponse", Detail=detail)

    def _privileges(self, database: Database, user_id: str, caller: Caller) -> Response:
        user = database.find("systemuser", user_id)
        if user is None:
            raise does_not_exist("systemuser", user_id)
        if user_id != caller.user_id:
            caller.demand("prvReadUser", "systemuser")
        names = {str(r["name"]): key for key, r in database.table("privilege").items()}
        held: set[str] = set()
        roles = user.get(HIDDEN_ROLES)
        for role_id in roles if isinstance(roles, list) else []:
            privileges = database.table("role")[role_id].get("~privileges")
            held |= set(privileges) if isinstance(privileges, list) else set()
        unit = str(next(iter(database.table("businessunit"))))
        rows = [
            {
                "Depth": "Global",
                "PrivilegeId": names[name],
                "BusinessUnitId": unit,
                # GUESS: version 9 adds the name; 8.x metadata has only the three others.
                "PrivilegeName": name,
            }
            for name in sorted(held)
        ]
        return self._of("RetrieveUserPrivilegesResponse", RolePrivileges=rows)

    def _version(self) -> str:
        for organization in self._simulation.world.deployment.organizations:
            if organization.unique_name == self._name:
                return organization.version
        raise DynamicsError(404)

    def _of(self, kind: str, **values: object) -> Response:
        context = f"{self._base}/$metadata#Microsoft.Dynamics.CRM.{kind}"
        response = Response.of_json({"@odata.context": context, **values}, 200, JSON)
        return response.with_header("OData-Version", "4.0")
