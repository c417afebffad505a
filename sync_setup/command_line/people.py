"""Verbs about who may do what."""

from __future__ import annotations

from argparse import ArgumentParser

from portal.access.actions import grant_role
from portal.access.models import Role
from portal.access.roles import demand
from portal.command_line.outcome import Outcome
from portal.errors import BadInput
from portal.jobs.policy import policies_of, set_policy
from sync_setup.command_line.facts import person_facts
from sync_setup.command_line.places import organization_for, person_for, scope_of
from sync_setup.command_line.verb import Call, Verb, add_organization, no_arguments


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


def _policy_arguments(parser: ArgumentParser) -> None:
    add_organization(parser)
    parser.add_argument(
        "--approvers",
        type=int,
        choices=(0, 1, 2),
        help="how many people approve; 0 only where everything is simulated",
    )
    parser.add_argument(
        "--kind", default="", metavar="KIND", help="only plans of this kind, such as undo-job"
    )


def _policy(call: Call) -> Outcome:
    scope = organization_for(call.by, call.options["organization"]).scope
    kind, approvers = call.options["kind"], call.options["approvers"]
    if approvers is not None:
        set_policy(scope, kind, approvers, by=call.by)
    elif kind:
        raise BadInput("Say how many people approve: --approvers.", field="approvers")
    rows = policies_of(scope)
    facts = {
        "organization": scope.title,
        "policies": [
            {"kind": row.kind, "title": row.title, "approvers": row.approvers} for row in rows
        ],
    }
    return Outcome(
        facts, "\n".join([f"{scope.title}:", *(f"  {row.title}: {row.words}" for row in rows)])
    )


VERBS = (
    Verb("who-am-i", "Sign in, and see your roles.", no_arguments, _who_am_i),
    Verb(
        "grant-role",
        "Give a role in the portal itself, beside those of the identity provider.",
        _grant_arguments,
        _grant_role,
    ),
    Verb(
        "policy",
        "See, or as an admin say, how many people approve plans of an organization.",
        _policy_arguments,
        _policy,
    ),
)
