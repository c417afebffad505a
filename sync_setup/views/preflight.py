from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from portal.jobs import shown as jobs_shown
from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS, Verdict
from portal.jobs.views import run_context
from sync_setup import drafts, recorded
from sync_setup.forms.setup import AnswerForm, OptionsForm
from sync_setup.models import Organization
from sync_setup.recorded import QUESTIONS
from sync_setup.shown import said
from sync_setup.views.places import of_own_draft, organization_of
from sync_setup.views.wizard import wizard_context
from sync_setup.wizard_steps import RUNNING, url_of


@of_own_draft
def preflight(request: SignedInRequest, job: Job) -> HttpResponse:
    """Choose the options, record what only people know, run the checks, read what they found."""
    is_checking = job.state in AT_CHECKS
    if request.method == "POST" and not is_checking:
        return _post(request, job)
    if is_checking != ("run" in request.GET):
        # What has just ended goes on by itself: to the plan, or to what stands in its way.
        if is_checking:
            return redirect(url_of("preflight", job) + RUNNING)
        return redirect(url_of("plan" if job.plan_id else "preflight", job))
    if is_checking:
        context = wizard_context(job, "preflight") | run_context(request, job)
        context["checks"] = jobs_shown.checks_shown(job)
        return render(request, "sync_setup/wizard_checking.html", context)
    return _page(request, job, OptionsForm(initial=_options(job)), _answer_forms())


def _options(job: Job) -> dict[str, Any]:
    names = ("pilot", "profile_name", "profile_owner", "set_defaults")
    return {name: job.inputs.get(name) for name in names}


def _answer_forms(data: Any = None) -> list[AnswerForm]:
    return [AnswerForm(question, data) for question in QUESTIONS.values()]


def _post(request: SignedInRequest, job: Job) -> HttpResponse:
    if not job.inputs.get("certificate"):
        return redirect(url_of("certificate", job))
    options, answers = OptionsForm(request.POST), _answer_forms(request.POST)
    if all([options.is_valid(), *(form.is_valid() for form in answers)]):
        given = [form.given for form in answers if form.given is not None]
        with shown_at_fields(options):
            if "save" in request.POST:
                drafts.save_options(job, options.cleaned_data, by=request.user)
                messages.success(request, f"{job.name} saved.")
                return redirect("sync_setup:organization", job.scope.slug)
            drafts.run_checks(job, options.cleaned_data, given, by=request.user)
            return redirect(url_of("preflight", job) + RUNNING)
    return _page(request, job, options, answers, status=422)


def _page(
    request: SignedInRequest,
    job: Job,
    options: OptionsForm,
    answers: list[AnswerForm],
    *,
    status: int = 200,
) -> HttpResponse:
    organization = organization_of(job)
    checks = jobs_shown.checks_shown(job)
    context = wizard_context(job, "preflight") | {
        "options": options,
        "answers": [(form, *_said(organization, form)) for form in answers],
        "checks": checks,
        "only_answers": all(row.verdict == Verdict.TO_RECORD for row in checks.stopping),
        "problem": jobs_shown.problem_shown(job),
        "has_certificate": bool(job.inputs.get("certificate")),
        "has_errors": status == 422,
    }
    return render(request, "sync_setup/wizard_preflight.html", context, status=status)


def _said(organization: Organization, form: AnswerForm) -> tuple[Any, str, bool]:
    """Give the newest answer, its words, and whether a plan may go on with it."""
    answer = recorded.newest(organization, form.question.key)
    if answer is None:
        return None, "", False
    return (
        said(answer),
        form.question.words(answer.answer),
        answer.answer in form.question.good,
    )
