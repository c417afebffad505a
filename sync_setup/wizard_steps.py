"""The four steps of a setup's draft: which one it stands at, and what the head of each page shows of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS

TITLES = {
    "certificate": "Certificate",
    "inspection": "Inspection",
    "preflight": "Preflight",
    "plan": "Plan",
}
RUNNING = "?run=1"


@dataclass(frozen=True)
class WizardStep:
    """One step in the head; ``url`` is None where it cannot be opened yet."""

    number: int
    key: str
    title: str
    url: str | None
    is_here: bool
    is_done: bool


def url_of(key: str, job: Job) -> str:
    """Give the page of one step."""
    return reverse(f"sync_setup:wizard-{key}", args=[job.number])


def current_page(job: Job) -> str:
    """Give the page on which a draft is to be gone on with."""
    if job.state in AT_CHECKS:
        return url_of("preflight", job) + RUNNING
    if not job.inputs.get("certificate"):
        return url_of("certificate", job)
    if job.plan_id:
        return url_of("plan", job)
    return url_of("preflight" if job.checks.exists() else "inspection", job)


def steps_of(job: Job, here: str) -> list[WizardStep]:
    """Give all four for the head of one of their pages."""
    has_certificate = bool(job.inputs.get("certificate"))
    can_open = {
        "certificate": True,
        "inspection": has_certificate,
        "preflight": has_certificate,
        "plan": bool(job.plan_id),
    }
    is_done = {
        "certificate": has_certificate,
        "inspection": has_certificate and here not in ("certificate", "inspection"),
        "preflight": bool(job.plan_id),
        "plan": False,
    }
    return [
        WizardStep(
            number=number,
            key=key,
            title=title,
            url=url_of(key, job) if can_open[key] and key != here else None,
            is_here=key == here,
            is_done=is_done[key] and key != here,
        )
        for number, (key, title) in enumerate(TITLES.items(), 1)
    ]
