"""What changes people and roles."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from portal.access.models import Person, Role, RoleGrant, Scope
from portal.access.roles import demand
from portal.audit.record import record

_PREFIX = "Sss."
# What a token says may be longer than a column, which PostgreSQL refuses.
USERNAME_LENGTH, NAME_LENGTH = 120, 150


def sign_in(
    *, issuer: str, subject: str, username: str, name: str, app_roles: Iterable[str]
) -> Person:
    """Find or make the person behind a verified token and take over the roles it names.

    :param app_roles: values of the token's ``roles`` claim: ``Sss.Approver`` counts everywhere,
        ``Sss.Approver.<scope slug>`` in that scope alone. Others are left alone.
    :return: the person; where it is disabled, nothing but the refusal was noted.
    """
    roles = list(app_roles)
    try:
        return _sign_in(issuer, subject, username, name, roles)
    except IntegrityError:
        # Two browsers of one new person at once: by now the other one has made the row.
        return _sign_in(issuer, subject, username, name, roles)


@transaction.atomic
def _sign_in(issuer: str, subject: str, username: str, name: str, app_roles: list[str]) -> Person:
    person = Person.objects.filter(issuer=issuer, subject=subject).first()
    if person is None:
        person = Person(issuer=issuer, subject=subject)
        person.set_unusable_password()
    if not person.is_active:
        record("person.sign_in_refused", person, by=person, why="disabled")
        return person
    person.username = _freed(username[:USERNAME_LENGTH], person)
    person.name = (name or username)[:NAME_LENGTH]
    person.save()
    replace_grants(person, app_roles)
    record("person.signed_in", person, by=person, roles=sorted(_known(app_roles)))
    return person


def _freed(username: str, person: Person) -> str:
    """Give the user name, taken from whoever else had it: names pass on (a rehire), subjects do not.

    The break-glass account keeps its name, or a token could lock it out.
    """
    if Person.objects.filter(username=username, is_break_glass=True).exists():
        username = f"{username}#sign-in"
    for former in Person.objects.filter(username=username).exclude(pk=person.pk):
        former.username = f"{username}#{former.pk}"
        former.save(update_fields=["username"])
    return username


def replace_grants(person: Person, app_roles: Iterable[str]) -> None:
    """Make the roles of the last sign-in exactly those the token names; roles given in the portal stay."""
    RoleGrant.objects.filter(person=person, source=RoleGrant.Source.SIGN_IN).delete()
    scopes = {scope.slug: scope for scope in Scope.objects.all()}
    meant = {_parted(value) for value in _known(app_roles)}
    RoleGrant.objects.bulk_create(
        RoleGrant(
            person=person,
            role=role,
            scope=scopes[slug] if slug else None,
            source=RoleGrant.Source.SIGN_IN,
        )
        for role, slug in sorted(meant)
        if not slug or slug in scopes
    )


def _known(app_roles: Iterable[str]) -> set[str]:
    """Keep the values that name a role of the portal; ``Sss.Approver.`` is none: its scope is missing."""
    return {
        value
        for value in app_roles
        if value.startswith(_PREFIX) and not value.endswith(".") and _parted(value)[0] in Role
    }


def _parted(value: str) -> tuple[str, str]:
    role, _, slug = value.removeprefix(_PREFIX).partition(".")
    return role.lower(), slug


@transaction.atomic
def grant_role(person: Person, role: str, scope: Scope | None, *, by: Person | None) -> RoleGrant:
    """Give the person a role in the portal itself, beside those of the sign-in.

    :param by: None from where nobody stands above the database anyway: the server's own commands.
    :raises NotAllowed: for anybody who does not administer all organizations.
    """
    if by is not None:
        demand(by, Role.ADMIN)
    grant, made = RoleGrant.objects.get_or_create(
        person=person, role=Role(role), scope=scope, source=RoleGrant.Source.PORTAL
    )
    if made:
        record("person.role_given", person, by=by, scope=scope, role=role)
    return grant
