"""Refused tries at the break-glass account: in the history, which is also what holds back whoever guesses.

Counted in the database, not in a process's memory: there are several web processes, and they restart.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from portal.access.models import Person
from portal.audit.models import Entry
from portal.audit.record import record

EVENT = "person.sign_in_refused"
WITHIN = timedelta(minutes=15)
# Behind a proxy every browser has the proxy's address; from many addresses the second figure counts.
TRIES_OF_ADDRESS, TRIES_OF_ALL = 10, 50


def is_throttled(address: str) -> bool:
    """Tell whether no further try is looked at now, from this address or from any."""
    tries = Entry.objects.filter(
        scope=None, event=EVENT, at__gt=Now() - WITHIN, detail__break_glass=True
    )
    of_address = tries.filter(detail__address=address)
    return of_address.count() >= TRIES_OF_ADDRESS or tries.count() >= TRIES_OF_ALL


@transaction.atomic
def note(username: str, address: str) -> None:
    """Keep one refused try. What was typed as the name is not kept: it may be a password."""
    person = Person.objects.filter(username=username, is_break_glass=True).first() or Person()
    record(EVENT, person, by=None, why="break-glass", break_glass=True, address=address)
