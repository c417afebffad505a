"""Who acts: the person who signs in by device code, or, where every target is simulated, the one named."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable

from portal.access import actions, device_sign_in
from portal.access.device_sign_in import DeviceCode
from portal.access.models import Person, Scope
from portal.errors import NotAllowed, NotFound
from portal.jobs.models import Installation

Say = Callable[[str], None]


def add_sign_in_option(parser: ArgumentParser) -> None:
    """Offer ``--as``."""
    parser.add_argument(
        "--as",
        dest="as_name",
        metavar="NAME",
        default="",
        help="act as this user name without signing in; only where every target is simulated",
    )


def acting_person(as_name: str, say: Say) -> Person:
    """Give the person in whose name the command acts.

    Nothing is kept between commands: every one asks for a sign-in of its own.

    :param as_name: user name given with ``--as``; empty: sign in by device code.
    :raises NotAllowed: for ``--as`` in production, a refused sign-in, or a disabled account.
    """
    person = _named(as_name) if as_name else _signed_in(say)
    if not person.is_active:
        raise NotAllowed(
            "This account is disabled in the portal.", remedy="Ask an admin of the portal."
        )
    return person


def _named(name: str) -> Person:
    if not _everything_is_simulated():
        raise NotAllowed(
            "--as is for rehearsals: this portal's database has targets that are not simulated.",
            remedy="Leave --as out and sign in by device code.",
            code="SSS-AS",
        )
    person = Person.objects.filter(username=name).first()
    if person is None:
        raise NotFound(
            f"Nobody with the user name {name!r} has signed in to this portal.",
            remedy="Sign in once, in the browser or without --as, so that the portal knows the person.",
            code="SSS-AS",
        )
    return person


def _everything_is_simulated() -> bool:
    """What the database says counts, never the environment of whoever starts the command."""
    is_rehearsal = Installation.objects.filter(mode="rehearsal").exists()
    return is_rehearsal and not Scope.objects.filter(is_simulated=False).exists()


def _signed_in(say: Say) -> Person:
    def tell(code: DeviceCode) -> None:
        say(
            f"To sign in, open {code.address} in any browser and enter the code {code.code} "
            f"(good for {code.minutes} minutes)."
        )

    who = device_sign_in.identify(tell)
    person = actions.sign_in(
        issuer=who.issuer,
        subject=who.subject,
        username=who.username,
        name=who.name,
        app_roles=who.roles,
    )
    if person.is_active:
        say(f"Signed in as {person.name} ({person.username}).")
    return person
