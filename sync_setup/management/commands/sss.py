from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from portal.access.models import Person
from portal.command_line.acting import acting_person, add_sign_in_option
from portal.command_line.command import PortalCommand, add_json_option
from portal.command_line.outcome import Outcome
from sync_setup.command_line.verb import Call
from sync_setup.command_line.verbs import VERBS
from sync_setup.management.commands.inspect_certificate import Command as InspectCertificate

INSPECT = "inspect"


class Command(PortalCommand):
    help = (
        "Do the portal's work without a browser: same rules, same history. Each verb asks for a sign-in "
        "by device code of whoever acts. Ends with 0 as asked, 1 failed or blocked, 2 cannot be run as "
        "given, 3 not allowed, 4 moved on meanwhile, 5 no answer in time, 6 a person is needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb in VERBS:
            its_parser = verbs.add_parser(verb.name, help=verb.help, description=verb.help)
            verb.add_arguments(its_parser)
            add_sign_in_option(its_parser)
            add_json_option(its_parser)
        inspect = verbs.add_parser(INSPECT, help="Inspect a certificate file; nobody signs in.")
        InspectCertificate().add_arguments(inspect)

    def handle(self, *arguments: Any, **options: Any) -> None:
        if options["verb"] == INSPECT:
            command = InspectCertificate()
            command.stdout, command.stderr = self.stdout, self.stderr
            command.handle(**options)
            return
        super().handle(*arguments, **options)

    def carry_out(self, options: Mapping[str, Any]) -> Outcome:
        verb = next(verb for verb in VERBS if verb.name == options["verb"])
        person = acting_person(options["as_name"], self.say)
        with timezone.override(_zone_of(person)):
            return verb.carry_out(Call(person, options, self.say, self.show))

    def show(self, line: str) -> None:
        """Print a line of the result at once, for whoever follows."""
        self.stdout.write(line)
        self.stdout.flush()


def _zone_of(person: Person) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(person.time_zone or settings.DISPLAY_TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
