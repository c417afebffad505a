"""What changes people and roles."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from portal.access.models import Person, Role, RoleGrant, Scope
from portal.audit.record import record

_PREFIX = "Sss."


@transaction.atomic
def sign_in(*, issuer: str, subject: str, username: str, name: str, app_roles: Iterable[str]) -> Person:
    """Find or make the person behind a verified token and take over the roles it names.

    :param app_roles: values of the token's ``roles`` claim: ``Sss.Approver`` counts everywhere,
        ``Sss.Approver.<scope slug>`` in that scope alone. Others are left alone.
    """
    person = Person.objects.filter(issuer=issuer, subject=subject).first()
    if person is None:
        person = Person(issuer=issuer, subject=subject)
        person.set_unusable_password()
    # A user name can pass to another subject (a rehire): the newest holder keeps it.
    Person.objects.filter(username=username).exclude(pk=person.pk).update(username=f"{username}#former")
    person.username, person.name = username, name or username
    person.save()
    replace_grants(person, app_roles)
    record("person.signed_in", person, by=person, roles=sorted(_known(app_roles)))
    return person


def replace_grants(person: Person, app_roles: Iterable[str]) -> None:
    """Make the roles of the last sign-in exactly those the token names; roles given in the portal stay."""
    RoleGrant.objects.filter(person=person, source=RoleGrant.Source.SIGN_IN).delete()
    scopes = {scope.slug: scope for scope in Scope.objects.all()}
    for value in _known(app_roles):
        role, _, slug = value.removeprefix(_PREFIX).partition(".")
        if slug and slug not in scopes:
            continue
        RoleGrant.objects.create(
            person=person,
            role=Role(role.lower()),
            scope=scopes.get(slug),
            source=RoleGrant.Source.SIGN_IN,
        )


def _known(app_roles: Iterable[str]) -> set[str]:
    found = set()
    for value in app_roles:
        role = value.removeprefix(_PREFIX).partition(".")[0].lower()
        if value.startswith(_PREFIX) and role in Role.values:
            found.add(value)
    return found


@transaction.atomic
def grant_role(person: Person, role: str, scope: Scope | None, *, by: Person | None) -> RoleGrant:
    """Give the person a role in the portal itself, beside those of the sign-in."""
    grant, made = RoleGrant.objects.get_or_create(
        person=person, role=Role(role), scope=scope, source=RoleGrant.Source.PORTAL
    )
    if made:
        record("person.role_given", person, by=by, scope=scope, role=role)
    return grant
