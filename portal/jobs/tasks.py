from __future__ import annotations

from celery import shared_task
from django.db import close_old_connections

from portal.jobs import runner
from portal.jobs.bell import TASK, ring
from portal.jobs.models import Job


@shared_task(name=TASK, ignore_result=True)
def run_job(*, number: int) -> None:
    """One message, one step. What is due at once afterwards gets the next message."""
    close_old_connections()
    if runner.run(number) and Job.objects.due().filter(number=number).exists():
        ring(number)
