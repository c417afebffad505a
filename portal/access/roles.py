"""Who may do what, where. The one place that answers."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from portal.access.models import Person, Role, RoleGrant, Scope
from portal.errors import NotAllowed

# Roles that may read a scope. Every role of the portal may look at what it answers for.
READERS = tuple(Role.values)


def has_role(person: Person, role: str, scope: Scope | None = None) -> bool:
    """Tell whether the person holds the role in the scope (or, without a scope, anywhere).

    An inactive person holds none. Admin implies no other role, approver least of all.
    """
    if not person.is_active:
        return False
    grants = RoleGrant.objects.filter(person=person, role=role)
    if scope is not None:
        grants = grants.filter(Q(scope=None) | Q(scope=scope))
    return grants.exists()


def has_role_everywhere(person: Person, role: str) -> bool:
    """Tell whether the person holds the role in all scopes, also those that do not exist yet."""
    grants = RoleGrant.objects.filter(person=person, role=role, scope=None)
    return person.is_active and grants.exists()


def demand(person: Person, role: str, scope: Scope | None = None) -> None:
    """Stop unless the person holds the role in the scope, or, without a scope, in all of them.

    What belongs to no scope (a tenant, a deployment) is shared by several: a role in one of them is
    not enough to change it.

    :raises NotAllowed: naming the role that is missing and who can give it.
    """
    if not (has_role(person, role, scope) if scope else has_role_everywhere(person, role)):
        where = f" for {scope.title if scope else 'all organizations'}"
        raise NotAllowed(
            f"This needs the role {Role(role).label}{where}.",
            remedy="Ask an admin of the portal, or whoever assigns the portal's app roles in Entra ID.",
            code="SSS-ROLE",
        )


def roles_of(person: Person) -> list[str]:
    """Give the distinct roles the person holds anywhere, most telling first."""
    held = set(RoleGrant.objects.filter(person=person).values_list("role", flat=True))
    order = [Role.ADMIN, Role.APPROVER, Role.REQUESTER, Role.AUDITOR, Role.VIEWER]
    return [role.value for role in order if role.value in held]


def holders(role: str, scope: Scope, *, without: Iterable[int] = ()) -> list[Person]:
    """Give the active people who hold the role in the scope, by name, leaving some out by id."""
    # One grant must say both: a role elsewhere and another role here are not this role here.
    grants = RoleGrant.objects.filter(Q(scope=None) | Q(scope=scope), role=role)
    people = Person.objects.filter(is_active=True, pk__in=grants.values("person"))
    return list(people.exclude(pk__in=list(without)).order_by("name"))
