"""Verbs about who may do what."""

from __future__ import annotations

from argparse import ArgumentParser

from portal.access.actions import grant_role
from portal.access.models import Role
from portal.access.roles import demand
from portal.command_line.outcome import Outcome
from sync_setup.command_line.facts import person_facts
from sync_setup.command_line.places import person_for, scope_of
from sync_setup.command_line.verb import Call, Verb, no_arguments


def _who_am_i(call: Call) -> Outcome:
    facts = person_facts(call.by)
    held = [f"  {row['role']} for {row['organization'] or 'everything'}" for row in facts["roles"]]
    title = f"{call.by.name} ({call.by.username})"
    return Outcome(facts, "\n".join([title, *(held or ["  no role: nothing is open to you"])]))


def _grant_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "person", metavar="PERSON", help="user name of somebody who has signed in once"
    )
    parser.add_argument("role", metavar="ROLE", choices=Role.values, help=", ".join(Role.values))
    parser.add_argument(
        "--organization", default="", metavar="NAME", help="only there; without it everywhere"
    )


def _grant_role(call: Call) -> Outcome:
    demand(call.by, Role.ADMIN)
    person = person_for(call.by, call.options["person"])
    scope = scope_of(call.by, call.options["organization"])
    grant_role(person, call.options["role"], scope, by=call.by)
    where = scope.title if scope else "everything"
    return Outcome(
        person_facts(person), f"{person.name} has the role {call.options['role']} for {where}."
    )


VERBS = (
    Verb("who-am-i", "Sign in, and see your roles.", no_arguments, _who_am_i),
    Verb(
        "grant-role",
        "Give a role in the portal itself, beside those of the identity provider.",
        _grant_arguments,
        _grant_role,
    ),
)
