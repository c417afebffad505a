"""Find what a command names, among what its person may know of."""

from __future__ import annotations

import uuid

from portal.access.models import Person, Role, Scope
from portal.access.roles import demand
from portal.errors import BadInput, NotFound
from portal.jobs.models import Job
from sync_setup.models import Deployment, EntraTenant, Organization


def organization_for(person: Person, name: str) -> Organization:
    """Give the organization of exactly that name, upper and lower case as in Dynamics.

    :param name: unique name, or DEPLOYMENT/NAME.
    :raises NotFound: for one that is not there and for one that is not theirs alike.
    :raises BadInput: when several deployments have it.
    """
    deployment, _, unique_name = name.rpartition("/")
    theirs = Organization.objects.for_person(person).select_related("scope", "deployment", "tenant")
    if deployment:
        theirs = theirs.filter(deployment__name=deployment)
    # The database may compare without case, which SQLite does for ASCII in LIKE only; Python decides.
    alike = [row for row in theirs if row.unique_name.casefold() == unique_name.casefold()]
    exact = [row for row in alike if row.unique_name == unique_name]
    if len(exact) == 1:
        return exact[0]
    if exact:
        names = ", ".join(f"{row.deployment.name}/{row.unique_name}" for row in exact)
        raise BadInput(
            f"{len(exact)} deployments have an organization {unique_name}.",
            remedy=f"Name one of them: {names}",
            field="organization",
        )
    spelled = ", ".join(row.unique_name for row in alike)
    raise NotFound(
        f"There is no organization {name!r} for you.",
        remedy=f"Upper and lower case count. There is: {spelled}"
        if spelled
        else "List yours: manage.py sss organizations\n"
        "If you should answer for it, ask an admin of the portal.",
    )


def deployment_for(person: Person, name: str) -> Deployment:
    """Give the deployment of that name, to an admin.

    :raises NotAllowed: for anybody else. :raises NotFound: when there is none.
    """
    demand(person, Role.ADMIN)
    found = Deployment.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Deployment.objects.order_by("name").values_list("name", flat=True))
        raise NotFound(
            f"There is no deployment {name!r}.",
            remedy=f"Registered: {known}" if known else "Register one: sss register-deployment",
        )
    return found


def tenant_for(person: Person, name: str) -> EntraTenant:
    """Give the tenant of that id or name, to an admin.

    :raises NotAllowed: for anybody else. :raises NotFound: when there is none.
    :raises BadInput: when several have that name.
    """
    demand(person, Role.ADMIN)
    try:
        found = list(EntraTenant.objects.filter(tenant_id=uuid.UUID(name)))
    except ValueError:
        found = list(EntraTenant.objects.filter(name=name))
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(
            f"{len(found)} tenants have the name {name}.",
            remedy="Give the tenant's id.",
            field="tenant",
        )
    raise NotFound(f"There is no tenant {name!r}.", remedy="Register it: sss register-tenant")


def person_for(admin: Person, username: str) -> Person:
    """Give the person of that user name, to an admin.

    :raises NotAllowed: for anybody else. :raises NotFound: for somebody who never signed in.
    """
    demand(admin, Role.ADMIN)
    found = Person.objects.filter(username=username).first()
    if found is None:
        raise NotFound(
            f"Nobody with the user name {username!r} has signed in to this portal.",
            remedy="Have them sign in once, then give the role.",
        )
    return found


def scope_of(person: Person, organization: str) -> Scope | None:
    """Give the scope of an organization; None for an empty name, which means everywhere."""
    return organization_for(person, organization).scope if organization else None


def job_for(person: Person, number: int) -> Job:
    """Give the job.

    :raises NotFound: for one that is not there and for one that is not theirs alike.
    """
    jobs = Job.objects.for_person(person).select_related("plan", "scope", "requester")
    job = jobs.filter(number=number).first()
    if job is None:
        raise NotFound(
            f"There is no job J-{number} for you.",
            remedy="Check the number.\n"
            "If it belongs to an organization you do not answer for, ask an admin of the portal.",
        )
    return job
