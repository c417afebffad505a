"""The local account for the day the identity provider is away: made ahead, off unless BREAK_GLASS is on."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from portal.access.actions import grant_role
from portal.access.models import Person, Role
from portal.audit.record import record
from portal.errors import BadInput

# Typed once in years, from an envelope: length costs nothing.
SHORTEST = 16


@transaction.atomic
def make_break_glass(username: str, password: str, roles: Sequence[str]) -> Person:
    """Make the account, or give the one there is a new password and these roles beside its own.

    Whoever can do this has the portal's machine and database anyway, so history names no person.

    :raises BadInput: for a short password, or a user name that belongs to a person who signs in elsewhere.
    """
    name = username.strip()
    if not name or len(name) > 150 or not name.isprintable():
        raise BadInput("Give a user name of 1 to 150 printable characters.", field="username")
    if len(password) < SHORTEST:
        raise BadInput(
            f"The password of a break-glass account has at least {SHORTEST} characters.",
            remedy="Have a password manager make one, and keep it in the safe.",
            field="password",
        )
    person = Person.objects.filter(username=name).first()
    if person is not None and not person.is_break_glass:
        raise BadInput(
            f"{name} is a person who signs in with the identity provider.",
            remedy="Choose a name that nobody has.",
            field="username",
        )
    made = person is None
    person = person or Person(username=name, name=name, is_break_glass=True)
    person.set_password(password)
    person.save()
    record("person.break_glass_made", person, by=None, roles=sorted(roles), new=made)
    for role in roles:
        grant_role(person, Role(role), None, by=None)
    return person
