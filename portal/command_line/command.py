"""The base of the portal's commands: one way to end, to fail and to print."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import DatabaseError, OperationalError, ProgrammingError

from portal.audit.record import request_number
from portal.command_line.outcome import (
    Exit,
    Outcome,
    as_json,
    exit_of,
    failure_facts,
    failure_text,
)
from portal.errors import BadInput, PortalError, Unreachable

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended


class PortalCommand(BaseCommand):
    """A command that ends with an ``Outcome`` or a ``PortalError``.

    Results go to standard output, everything else (progress, sign-in, errors for people) to standard
    error. With ``--json`` a failure is on standard output too, as ``{"error": …}``.
    """

    @abstractmethod
    def carry_out(self, options: Mapping[str, Any]) -> Outcome:
        """Do what was asked.

        :raises PortalError: when it cannot be done.
        """

    def handle(self, *arguments: Any, **options: Any) -> None:
        number = str(uuid.uuid4())
        token = request_number.set(number)
        try:
            code = self._end(options, number)
        except KeyboardInterrupt:
            self.say("\nStopped here. What a worker has begun goes on without this command.")
            code = INTERRUPTED
        finally:
            request_number.reset(token)
        if code:
            raise SystemExit(int(code))

    def _end(self, options: Mapping[str, Any], number: str) -> int:
        try:
            outcome = self.carry_out(options)
        except PortalError as error:
            return self._fail(error, options, number)
        except (OperationalError, ProgrammingError) as error:
            return self._fail(_database_away(error), options, number)
        except ImproperlyConfigured as error:
            return self._fail(BadInput(str(error), code="SSS-SETTINGS"), options, number)
        if options["json"]:
            self.stdout.write(as_json(outcome.facts, in_one_line=outcome.is_last_line))
        elif outcome.text:
            self.stdout.write(outcome.text)
        return outcome.exit

    def _fail(self, error: PortalError, options: Mapping[str, Any], number: str) -> Exit:
        if options["json"]:
            self.stdout.write(as_json(failure_facts(error, number)))
        else:
            self.say(failure_text(error, number))
        return exit_of(error)

    def say(self, text: str) -> None:
        """Tell something beside the result, on standard error."""
        self.stderr.write(text, lambda words: words)
        self.stderr.flush()


def _database_away(error: DatabaseError) -> Unreachable:
    # The driver's own words may hold the address and the user of the database.
    return Unreachable(
        f"The database cannot be used ({type(error).__name__}).",
        remedy="See whether the database runs, and whether manage.py migrate was run.",
        code="SSS-DATABASE",
        system="Database",
    )


def add_json_option(parser: ArgumentParser) -> None:
    """Offer ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
