"""Ring for a job: a message with its number, nothing else. If nobody hears it, the watch comes by."""

from __future__ import annotations

import logging

from django.db import transaction
from kombu.exceptions import ChannelError, OperationalError

from portal.celery import app

log = logging.getLogger(__name__)
TASK = "portal.run_job"


def ring(number: int) -> bool:
    """Send the message now; the broker being away is no error.

    :return: whether the broker took it.
    """
    try:
        app.send_task(TASK, kwargs={"number": number}, retry=False, ignore_result=True)
    except (OperationalError, ChannelError, OSError) as error:
        log.warning(
            "J-%s: the broker is away (%s); the watch will start it", number, type(error).__name__
        )
        return False
    return True


def ring_after_commit(number: int) -> None:
    """Ring once the caller's transaction is in the database."""
    transaction.on_commit(lambda: ring(number))
