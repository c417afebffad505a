"""What people do with a job on its pages: each a POST, one action, and back to a page."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from portal.jobs import actions, shown, steering
from portal.jobs.forms import ApproveForm, SendForm, SettleForm, TurnDownForm
from portal.jobs.models import Approval, Job, Plan
from portal.jobs.presentation import difference_of
from portal.jobs.states import JobState
from portal.jobs.views import job_for, render_draft, render_review, render_run

DIGEST = re.compile("[0-9a-f]{64}")
Deed = Callable[[SignedInRequest, int], HttpResponse]


def by_post(deed: Deed) -> Deed:
    """Send whoever comes otherwise (a bookmark, a return from sign-in) to the job's page."""

    def view(request: SignedInRequest, number: int) -> HttpResponse:
        return deed(request, number) if request.method == "POST" else redirect("jobs:job", number)

    return view


@by_post
def check(request: SignedInRequest, number: int) -> HttpResponse:
    job = actions.ask_for_checks(job_for(request, number), by=request.user)
    return redirect("jobs:job", job.number)


@by_post
def send(request: SignedInRequest, number: int) -> HttpResponse:
    job = job_for(request, number)
    refused = send_as_asked(request, job)
    return render_draft(request, job, refused) if refused else redirect("jobs:review", job.number)


def send_as_asked(request: SignedInRequest, job: Job) -> SendForm | None:
    """Send the plan as the form of ``jobs/_send.html`` asks; for every page that has it.

    :return: the form with its errors and all that was typed, where it was not sent.
    """
    form = SendForm(request.POST)
    if form.is_valid():
        with shown_at_fields(form, window="ends_at"):
            actions.send_for_approval(
                job,
                by=request.user,
                reason=form.cleaned_data["reason"],
                ticket=form.cleaned_data["ticket"],
                window=form.window,
            )
            messages.success(request, f"{job.name} sent for approval.")
            return None
    return form


@by_post
def discard(request: SignedInRequest, number: int) -> HttpResponse:
    job = actions.discard_draft(job_for(request, number), by=request.user)
    messages.success(request, f"{job.name} discarded.")
    return redirect("jobs:list")


@by_post
def withdraw(request: SignedInRequest, number: int) -> HttpResponse:
    job = actions.withdraw_job(job_for(request, number), by=request.user)
    messages.success(request, f"{job.name} taken back. It is a draft again.")
    return redirect("jobs:job", job.number)


@by_post
def approve(request: SignedInRequest, number: int) -> HttpResponse:
    job = job_for(request, number)
    if other := _plan_read(job, request.POST.get("digest", "")):
        return _changed(request, job, other)
    if job.plan is None:
        return redirect("jobs:job", job.number)
    form = ApproveForm(job.plan, request.POST)
    if form.is_valid():
        with shown_at_fields(form):
            actions.approve_job(job, by=request.user, **form.cleaned_data)
            messages.success(request, f"{job.name} approved: exactly this plan, for one run.")
            return redirect("jobs:job", job.number)
    return render_review(request, job, status=422, approve_form=form)


@by_post
def send_back(request: SignedInRequest, number: int) -> HttpResponse:
    return _turn_down(request, number, actions.send_back_job, "sent back")


@by_post
def reject(request: SignedInRequest, number: int) -> HttpResponse:
    return _turn_down(request, number, actions.reject_job, "rejected")


@by_post
def continue_job(request: SignedInRequest, number: int) -> HttpResponse:
    job = steering.continue_job(job_for(request, number), by=request.user)
    only_looks = job.state == JobState.OUTCOME_UNKNOWN
    words = "looks again; nothing is changed by it." if only_looks else "goes on: it looks first."
    messages.success(request, f"{job.name} {words}")
    return redirect("jobs:job", job.number)


@by_post
def settle(request: SignedInRequest, number: int) -> HttpResponse:
    """Record what a person found where no look can tell the outcome; the job ends."""
    job = job_for(request, number)
    form = SettleForm(request.POST)
    if form.is_valid():
        with shown_at_fields(form):
            steering.settle_by_person(job, by=request.user, found=form.cleaned_data["found"])
            messages.success(request, f"{job.name} has ended with what you found.")
            return redirect("jobs:job", job.number)
    return render_run(request, job, form)


@by_post
def draft_again(request: SignedInRequest, number: int) -> HttpResponse:
    job = actions.draft_again(job_for(request, number), by=request.user)
    messages.success(request, f"{job.name} drafted: it starts from what is there now.")
    return redirect("jobs:job", job.number)


def _turn_down(
    request: SignedInRequest, number: int, action: Callable[..., Approval], word: str
) -> HttpResponse:
    job = job_for(request, number)
    if other := _plan_read(job, request.POST.get("digest", "")):
        return _changed(request, job, other)
    if job.plan is None:
        return redirect("jobs:job", job.number)
    form = TurnDownForm(request.POST)
    if form.is_valid():
        with shown_at_fields(form):
            action(job, by=request.user, **form.cleaned_data)
            messages.success(request, f"{job.name} {word}.")
            return redirect("jobs:review", job.number)
    return render_review(request, job, status=422, turn_down_form=form)


def _plan_read(job: Job, digest: str) -> Plan | None:
    """Give the plan the person has read, if another one waits by now."""
    if job.state != JobState.AWAITING_APPROVAL or job.plan is None or job.plan.digest == digest:
        return None
    # Anything else is no digest, and PostgreSQL refuses to be asked for a NUL.
    return job.plans.filter(digest=digest).first() if DIGEST.fullmatch(digest) else None


def _changed(request: SignedInRequest, job: Job, read: Plan) -> HttpResponse:
    """Refuse, and show what differs between the plan that was read and the one that waits."""
    assert job.plan is not None  # noqa: S101 -- _plan_read found another plan beside it
    difference = difference_of(shown.steps_of_plan(read), shown.steps_of_plan(job.plan))
    return render_review(request, job, status=409, difference=difference, read_digest=read.digest)
