from __future__ import annotations

import json
from contextvars import ContextVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from portal.access.models import Person, Scope
from portal.audit import events
from portal.audit.models import Entry

request_number: ContextVar[str] = ContextVar("request_number", default="")


def record(
    event: str,
    subject: models.Model,
    *,
    by: Person | None,
    scope: Scope | None = None,
    job_number: int | None = None,
    **detail: object,
) -> Entry:
    """Add one line of history inside the caller's transaction: no history, no change.

    :param by: the person who decided this; None for what a worker does on its own.
    :param detail: JSON values without secrets and without names of people or mailboxes (ids only).
    :raises ValueError: for an event that the catalogue does not have.
    :raises RuntimeError: outside a transaction, since the line and the change stand or fall together.
    """
    if not events.known(event):
        raise ValueError(f"History has no event {event!r}.")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("record() needs the transaction of the change it describes.")
    return Entry.objects.create(
        actor=by,
        via=settings.PORTAL_ROLE,
        event=event,
        subject=f"{subject._meta.label_lower}:{subject.pk}",
        scope=scope,
        job_number=job_number,
        request_number=request_number.get(),
        detail=json.loads(json.dumps(detail, cls=DjangoJSONEncoder)),
    )
