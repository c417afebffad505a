"""Every verb of ``manage.py sss``, in the order in which one meets them."""

from __future__ import annotations

from sync_setup.command_line import (
    accounts,
    deciding,
    going_back,
    looking,
    people,
    planning,
    registering,
    telling,
)
from sync_setup.command_line.verb import Verb

VERBS: tuple[Verb, ...] = (
    *people.VERBS,
    *registering.VERBS,
    *accounts.VERBS,
    *looking.VERBS,
    *planning.VERBS,
    *deciding.VERBS,
    *going_back.VERBS,
    *telling.VERBS,
)
