from __future__ import annotations

import time
from pathlib import Path

from celery import shared_task


@shared_task(name="toy.stamp", ignore_result=True)
def stamp(*, path: str) -> None:
    """Say when this ran: the bare round trip that the portal's own is measured against."""
    Path(path).write_text(repr(time.time()))
