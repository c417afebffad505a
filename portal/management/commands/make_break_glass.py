from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from portal.access.break_glass import make_break_glass
from portal.access.models import Role
from portal.access.roles import roles_of
from portal.command_line.command import PortalCommand, add_json_option
from portal.command_line.outcome import Outcome
from portal.command_line.secret_input import add_secret_option, line_of
from portal.errors import BadInput


class Command(PortalCommand):
    help = (
        "Make the local account for the day the identity provider is away, or give it a new password. "
        "It can sign in, in the browser, only while the setting BREAK_GLASS is on. "
        "The password comes from --password-file, a prompt, or a line of standard input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME")
        add_secret_option(parser, "--password-file", "the password")
        parser.add_argument(
            "--role",
            action="append",
            dest="roles",
            choices=Role.values,
            help="role everywhere, may be repeated (default: admin)",
        )
        add_json_option(parser)

    def carry_out(self, options: Mapping[str, Any]) -> Outcome:
        password = _password(options["password_file"])
        roles = options["roles"] or [Role.ADMIN.value]
        person = make_break_glass(options["username"], password, roles)
        held = ", ".join(roles_of(person))
        state = "on" if settings.BREAK_GLASS else "off until BREAK_GLASS is set for the web server"
        return Outcome(
            {"username": person.username, "roles": roles_of(person), "is_on": settings.BREAK_GLASS},
            f"Break-glass account {person.username} is ready, with the roles: {held}. It is {state}.",
        )


def _password(file: Path | None) -> str:
    if file is not None or not sys.stdin.isatty():
        return line_of(file or Path("-"), option="--password-file")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Password again: ") != first:
        raise BadInput("These are two different passwords.", field="password")
    return first
