"""What the watch does again and again. Apps register theirs at start; each is a row with a due time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now

from portal.jobs.kept_secrets import needed_by_unfinished_jobs
from portal.jobs.models import Duty
from portal.vault.actions import destroy_due_secrets, destroy_retired_secrets
from portal.vault.uses import register_use

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DutyKind:
    """A duty: short (seconds), touching no outside system; work on outside systems is a job.

    :param do: does it and says in a few words what came of it.
    """

    name: str
    every_s: int
    do: Callable[[], object]


_kinds: dict[str, DutyKind] = {}


def register(kind: DutyKind) -> None:
    """Make a duty known."""
    _kinds[kind.name] = kind


register(DutyKind("destroy-job-secrets", 60, destroy_due_secrets))
register(DutyKind("destroy-retired-secrets", 600, destroy_retired_secrets))
register_use(needed_by_unfinished_jobs)


def ensure_rows() -> None:
    """Make the row of every registered duty that has none yet."""
    for kind in _kinds.values():
        Duty.objects.get_or_create(name=kind.name, defaults={"every_s": kind.every_s})


def do_one_due() -> bool:
    """Take one duty whose time has come and do it. Moving its due time on is the claim.

    :return: whether one was done.
    """
    known = Duty.objects.filter(name__in=list(_kinds))
    row = known.filter(due_at__lte=Now()).order_by("due_at").first()
    if row is None:
        if known.count() < len(_kinds):
            ensure_rows()
        return False
    kind = _kinds[row.name]
    step = timedelta(seconds=kind.every_s)
    # Not by the instant that was read: SQLite keeps what Now() wrote in another spelling than Python's.
    taken = Duty.objects.filter(name=row.name, due_at__lte=Now()).update(
        due_at=Now() + step, last_at=Now(), every_s=kind.every_s
    )
    if not taken:
        return False
    try:
        result = str(kind.do())
    except Exception as bug:
        log.exception("Duty %s failed", row.name)
        result = f"failed: {type(bug).__name__}"
    Duty.objects.filter(name=row.name).update(last_result=result[:500])
    return True
