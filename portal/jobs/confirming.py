"""Cancel, retry and undo: a page that says what stays and what goes on, and the act behind its button."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Min
from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.http import SignedInRequest
from portal.jobs import actions, shown, steering
from portal.jobs.approval import approval_holds, used_by
from portal.jobs.may import first_open, may_cancel, may_retry, may_undo
from portal.jobs.models import Job
from portal.jobs.states import StepState
from portal.jobs.undo import SLUG as UNDO
from portal.jobs.undo import what_goes_back, what_stays
from portal.jobs.views import job_for


def cancel(request: SignedInRequest, number: int) -> HttpResponse:
    """Say what stays when the job ends now, and have it end."""
    job = job_for(request, number)
    if request.method == "POST":
        steering.cancel_job(job, by=request.user)
        messages.success(request, f"{job.name} ends as soon as nothing of it is under way.")
        return redirect("jobs:job", job.number)
    if not may_cancel(job, request.user):
        return redirect("jobs:job", job.number)
    steps = shown.steps_of(job)
    return _page(
        request,
        job,
        "jobs/cancel.html",
        stays=[step for step in steps if step.state == StepState.DONE and step.changed],
        begun=next((s for s in steps if s.intent_at and s.ended_at is None), None),
        left=[s for s in steps if s.state in (StepState.TO_DO, StepState.NOT_STARTED)],
    )


def retry(request: SignedInRequest, number: int) -> HttpResponse:
    """Say where the job goes on and under which approval, and have it go on."""
    job = job_for(request, number)
    if request.method == "POST":
        steering.retry_job(job, by=request.user)
        messages.success(request, f"{job.name} goes on: it looks at the earlier steps first.")
        return redirect("jobs:job", job.number)
    if not may_retry(job, request.user):
        return redirect("jobs:job", job.number)
    steps = shown.steps_of(job)
    return _page(
        request,
        job,
        "jobs/retry.html",
        first=first_open(steps),
        earlier=[step for step in steps if step.state == StepState.DONE],
        holds=Job.objects.filter(approval_holds(), pk=job.pk).exists(),
        until=_holds_until(job),
        approvers=[row.approver for row in shown.decisions(job) if row.start_by is not None],
        may_draft_again=shown.may_draft_again(job, request.user),
    )


def undo(request: SignedInRequest, number: int) -> HttpResponse:
    """Say what goes back and what stays; then draft the undo, a job with a plan and an approval of its own."""
    job = job_for(request, number)
    if request.method == "POST":
        drafted = actions.draft_job(UNDO, job.scope, by=request.user, inputs={"of": job.number})
        actions.ask_for_checks(drafted, by=request.user)
        messages.success(request, f"{drafted.name} drafted. Its plan is made now.")
        return redirect("jobs:job", drafted.number)
    if not may_undo(job, request.user):
        return redirect("jobs:job", job.number)
    back, stays = what_goes_back(job), what_stays(job)
    return _page(request, job, "jobs/undo.html", back=back, stays=stays)


def _page(request: SignedInRequest, job: Job, template: str, **more: Any) -> HttpResponse:
    context = {"job": job, "headline": shown.headline(job), "decisions": shown.decisions(job)}
    return render(request, template, context | more)


def _holds_until(job: Job) -> datetime | None:
    used = used_by(job.number, job.plan_id).aggregate(first=Min("use__at"))["first"]
    return used + timedelta(seconds=settings.APPROVAL_LIFE_S) if used else None
