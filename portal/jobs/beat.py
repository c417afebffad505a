"""The trace by which others see that this host's worker does its work.

A worker whose process lives may still do nothing: its database may be away, its watch stuck. So the
trace is left only after the database has answered: by the watch after each round, and by the holder of a
job each time its lease was prolonged (a step may take the watch's own turn for minutes).
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)
# A worker polls its database every WATCH_INTERVAL_S, or prolongs a lease every third of LEASE_S.
STALE_S = 60.0


def leave() -> None:
    """Leave the trace. Where that is impossible the work goes on: health then says that it saw nothing."""
    try:
        Path(settings.BEAT_FILE).touch()
    except OSError as error:
        log.warning("BEAT_FILE cannot be written (%s)", error.strerror)


def age_s() -> float | None:
    """Give the seconds since the last trace; None when there is none."""
    try:
        return max(0.0, time.time() - Path(settings.BEAT_FILE).stat().st_mtime)
    except OSError:
        return None
