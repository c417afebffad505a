"""What a verb of the command line is."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.access.models import Person
from portal.command_line.outcome import Outcome


@dataclass(frozen=True)
class Call:
    """One use of a verb.

    :param by: who acts. :param options: the arguments as given.
    :param say: tells something beside the result, on standard error.
    :param show: prints a line of the result before its end, on standard output.
    """

    by: Person
    options: Mapping[str, Any]
    say: Callable[[str], None]
    show: Callable[[str], None]


@dataclass(frozen=True)
class Verb:
    """One verb: its name, one sentence of help, its arguments, and what it does."""

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    carry_out: Callable[[Call], Outcome]


def no_arguments(parser: ArgumentParser) -> None:
    """Take nothing but what every verb takes."""


def job_number(text: str) -> int:
    """Read ``J-1042`` or ``1042``, for argparse."""
    found = re.fullmatch(r"(?:[Jj]-)?([0-9]{1,18})", text.strip())
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no job: write it like J-1042")
    return int(found.group(1))


def add_job(parser: ArgumentParser) -> None:
    """Take the job that the verb is about."""
    parser.add_argument("job", metavar="J-n", type=job_number, help="the job, such as J-1042")


def add_organization(parser: ArgumentParser) -> None:
    """Take the organization that the verb is about."""
    parser.add_argument(
        "organization",
        metavar="ORGANIZATION",
        help="its unique name, upper and lower case as in Dynamics; DEPLOYMENT/NAME where two have it",
    )


def add_timeout(parser: ArgumentParser, what: str, seconds: float | None) -> None:
    """Take how long to wait."""
    told = f"{seconds:.0f}" if seconds else "for ever"
    parser.add_argument(
        "--timeout",
        type=float,
        default=seconds,
        metavar="SECONDS",
        help=f"how long to wait for {what} (default: {told}); it goes on afterwards",
    )
