from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal import pages
from portal.access.models import Role, Scope
from portal.access.roles import has_role
from portal.errors import NotFound
from portal.http import SignedInRequest
from portal.jobs import plans, shown
from portal.jobs.forms import (
    ApproveForm,
    JobFilter,
    LogFilter,
    SendForm,
    SettleForm,
    TurnDownForm,
)
from portal.jobs.may import first_open, may_cancel, may_retry, may_undo
from portal.jobs.models import Approval, Job, JobStep, LogLine
from portal.jobs.states import AT_CHECKS, EDITABLE, JobState, look_of
from portal.jobs.undo import SLUG as UNDO
from portal.jobs.undo import job_to_undo, what_stays
from portal.paging import number as number_of
from portal.paging import page_of

LOG_PAGE = 1000
_PROBLEMS = (LogLine.Level.WARNING, LogLine.Level.ERROR)


def job_for(request: SignedInRequest, number: int) -> Job:
    """Give the job, if this person may know of it.

    :raises NotFound: for a number that does not exist and for one of a scope that is not theirs alike.
    """
    jobs = Job.objects.for_person(request.user).select_related("plan", "scope", "requester")
    job = jobs.filter(number=number).first()
    if job is None:
        raise NotFound(
            f"There is no job J-{number} for you.",
            remedy="Check the number.\n"
            "If it belongs to an organization you do not answer for, ask an admin of the portal.",
        )
    return job


@require_GET
def job_list(request: SignedInRequest) -> HttpResponse:
    """All jobs this person may know of, newest first."""
    asked = JobFilter(request.GET, Scope.objects.for_person(request.user).order_by("title"))
    jobs = asked.keep(Job.objects.for_person(request.user), request.user)
    page = page_of(jobs.select_related("scope", "requester"), request.GET, key="number")
    rows = [(job, shown.headline(job)) for job in page.rows]
    return render(request, "jobs/list.html", {"filter": asked, "page": page, "rows": rows})


@require_GET
def approvals(request: SignedInRequest) -> HttpResponse:
    """What waits for a decision, and what was decided."""
    mine = shown.waiting_for(request.user)
    all_waiting = Job.objects.for_person(request.user).filter(state=JobState.AWAITING_APPROVAL)
    tabs = [
        ("mine", "Waiting for me", mine.count()),
        ("all", "All waiting", all_waiting.count()),
        ("decided", "Decided", None),
    ]
    usual_tab = "mine" if has_role(request.user, Role.APPROVER) else "all"
    tab = request.GET.get("tab", usual_tab)
    context: dict[str, Any] = {"tabs": tabs, "tab": tab if tab in dict_of(tabs) else usual_tab}
    if context["tab"] == "decided":
        decided = Approval.objects.filter(plan__job__in=Job.objects.for_person(request.user))
        related = decided.select_related("approver", "requester", "plan__job__scope")
        context["page"] = page_of(related, request.GET)
    else:
        context["waiting"] = shown.waiting_rows(mine if context["tab"] == "mine" else all_waiting)
    return render(request, "jobs/approvals.html", context)


def dict_of(tabs: Sequence[tuple[str, str, int | None]]) -> dict[str, str]:
    """Give the words of tabs by their key."""
    return {key: words for key, words, _ in tabs}


@require_GET
def job(request: SignedInRequest, number: int) -> HttpResponse:
    """One job: on to the wizard while it is written, to the plan while it waits, else how it runs or ran."""
    job = job_for(request, number)
    if job.state == JobState.AWAITING_APPROVAL:
        return redirect("jobs:review", job.number)
    kind = plans.kind_or_none(job.kind)
    if job.state not in EDITABLE + AT_CHECKS or (kind and not kind.writes):
        return render_run(request, job)
    wizard = kind.wizard_url(job) if kind and job.requester_id == request.user.pk else None
    return redirect(wizard) if wizard else render_draft(request, job)


def render_run(
    request: SignedInRequest, job: Job, settle_form: SettleForm | None = None
) -> HttpResponse:
    """Show how a job runs or ran; with a form's errors, where it was refused."""
    context = run_context(request, job) | {"settle_form": settle_form or SettleForm()}
    return render(request, "jobs/job.html", context, status=422 if settle_form else 200)


def render_draft(
    request: SignedInRequest, job: Job, send_form: SendForm | None = None
) -> HttpResponse:
    """Show a job that is still written, for kinds without a wizard and for everybody but its requester."""
    context = run_context(request, job) | send_context(request, job, send_form)
    if job.state == JobState.CHANGES_REQUESTED:
        context["sent_back"] = shown.sent_back(job)
    return render(request, "jobs/draft.html", context, status=422 if send_form else 200)


def send_context(
    request: SignedInRequest, job: Job, send_form: SendForm | None = None
) -> dict[str, Any]:
    """Give what ``jobs/_plan.html``, ``_checks.html`` and ``_send.html`` take for a draft."""
    return {
        "job": job,
        "plan": shown.plan_shown(job.plan) if job.plan else None,
        "checks": shown.checks_shown(job),
        "send_form": send_form or SendForm(initial={"reason": job.reason, "ticket": job.ticket}),
        "deciders": shown.deciders(job),
        "is_own": job.requester_id == request.user.pk,
        "approval_life_s": settings.APPROVAL_LIFE_S,
        "approvals": shown.approvals_in_words(job),
        "stays": what_stays(job_to_undo(job)) if job.kind == UNDO else [],
    }


def run_context(
    request: SignedInRequest, job: Job, *, after: int | None = None, seen: str = ""
) -> dict[str, Any]:
    """Give what the page of a job and its live fragment take.

    :param after: number of the last log line that the reader has; None for a whole page.
    :param seen: the mark of what the reader has, see ``live_of``.
    """
    steps = shown.steps_of(job)
    return {
        "job": job,
        "headline": shown.headline(job),
        "progress": shown.progress_shown(job, steps),
        "runs": shown.runs_shown(job, steps),
        "log": shown.log_shown(job, after=after),
        "problem": shown.problem_shown(job),
        "decisions": shown.decisions(job) if job.plan_id else [],
        "may_continue": any(
            has_role(request.user, role, job.scope) for role in (Role.REQUESTER, Role.APPROVER)
        ),
        "may_draft_again": shown.may_draft_again(job, request.user),
        "may_cancel": may_cancel(job, request.user),
        "may_retry": may_retry(job, request.user),
        "may_undo": may_undo(job, request.user),
        "first_open": first_open(steps),
        "panels": pages.job_panels(job, request.user) if after is None else [],
        "live": live_of(job, steps, seen),
    }


def live_of(job: Job, steps: Sequence[JobStep], seen: str) -> dict[str, Any]:
    """Say how a page looks again: how often, at what, and by which mark it tells that nothing changed.

    :param seen: the mark that the reader has.
    """
    told = [job.state, job.note, bool(job.failure), [(step.state, step.note) for step in steps]]
    if job.state in AT_CHECKS:
        told.append(list(job.checks.order_by("position").values_list("key", "checked_at")))
    mark = hashlib.sha256(repr(told).encode()).hexdigest()[:12]
    far = job.run_after is not None and job.run_after > timezone.now() + timedelta(minutes=1)
    return {
        "every_s": (10 if far else 2) if job.is_moving else None,
        "phase": _phase(job),
        "seen": mark,
        "has_news": mark != seen,
    }


def _phase(job: Job) -> str:
    if job.state in AT_CHECKS:
        return "checks"
    return "unknown" if job.state == JobState.OUTCOME_UNKNOWN else "run"


@require_GET
def live(request: SignedInRequest, number: int) -> HttpResponse:
    """What changed since the reader's last look: lines after ``after``, and the rest where it differs."""
    job = job_for(request, number)
    if request.GET.get("of") == "checks" and job.state not in AT_CHECKS:
        # What the page is about has ended: it starts anew, and the job's page knows where to go on.
        return HttpResponse(headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
    after = number_of(request.GET.get("after")) or 0
    context = run_context(request, job, after=after, seen=request.GET.get("seen", ""))
    if job.state in AT_CHECKS:
        context["checks"] = shown.checks_shown(job)
    # What somebody types must not be swapped away: the form comes and goes with its state only.
    context["settle_form"] = SettleForm()
    context["has_other_phase"] = request.GET.get("of") != context["live"]["phase"]
    response = render(request, "jobs/_live.html", context | {"oob": True})
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def review(request: SignedInRequest, number: int) -> HttpResponse:
    """The plan, word for word the same for requester and approver, and who decides."""
    job = job_for(request, number)
    if job.plan is None:
        return redirect("jobs:job", job.number)
    return render_review(request, job)


def render_review(
    request: SignedInRequest, job: Job, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Show the plan with what a refused decision adds: forms with errors, or what differs by now."""
    assert job.plan is not None  # noqa: S101 -- callers send jobs without a plan elsewhere
    context = send_context(request, job) | {
        "headline": shown.headline(job),
        "state_word": look_of(JobState(job.state)).word,
        "kind": plans.kind_or_none(job.kind),
        "usual": shown.usual(job.kind),
        "window_passed": shown.window_passed(job),
        "decisions": shown.decisions(job),
        "may_decide": shown.may_decide(job, request.user),
        "is_uploader": job.plan.uploader_id == request.user.pk,
        "approve_form": ApproveForm(job.plan),
        "turn_down_form": TurnDownForm(initial={"digest": job.plan.digest}),
        "panels": pages.job_panels(job, request.user),
    }
    return render(request, "jobs/review.html", context | more, status=status)


@require_GET
def log(request: SignedInRequest, number: int) -> HttpResponse:
    """The whole log page by page, or every line of it that is like what is asked for."""
    job = job_for(request, number)
    asked = LogFilter(request.GET)
    lines = LogLine.objects.filter(job=job)
    is_filtered = asked.is_valid() and any(asked.cleaned_data.values())
    if is_filtered:
        if asked.cleaned_data["q"]:
            lines = lines.filter(text__icontains=asked.cleaned_data["q"])
        if asked.cleaned_data["problems"]:
            lines = lines.filter(level__in=_PROBLEMS)
    to = number_of(request.GET.get("to")) or job.log_seq
    found = list(lines.filter(seq__lte=to).order_by("-seq")[:LOG_PAGE])[::-1]
    context = {
        "job": job,
        "headline": shown.headline(job),
        "filter": asked,
        "is_filtered": is_filtered,
        "hits": lines.count() if is_filtered else job.log_seq,
        "chunks": shown.chunked(found),
        "first": found[0].seq if found else None,
        "last": found[-1].seq if found else None,
        "earlier": found[0].seq - 1 if len(found) == LOG_PAGE and found[0].seq > 1 else None,
        "later": to + LOG_PAGE if to < job.log_seq else None,
    }
    return render(request, "jobs/log.html", context)


@require_GET
def log_text(request: SignedInRequest, number: int) -> StreamingHttpResponse:
    """The whole log as text, times in UTC."""
    job = job_for(request, number)
    response = StreamingHttpResponse(_text_of(job), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{job.name}-log.txt"'
    return response


def _text_of(job: Job) -> Iterator[str]:
    yield f"# {job.name}, {job.scope.title}: times in UTC\n"
    for line in LogLine.objects.filter(job=job).order_by("seq").iterator(chunk_size=1000):
        at = f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        yield f"{line.seq:>6}  {at}  {line.level:<7}  {line.text}\n"
