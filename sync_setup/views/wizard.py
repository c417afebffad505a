from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET

from portal import pages
from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from portal.jobs import plans
from portal.jobs import shown as jobs_shown
from portal.jobs.decisions import send_as_asked
from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS, JobState
from portal.jobs.views import send_context
from portal.uploads import LIMIT_BYTES
from sync_setup import drafts, look_state, shown
from sync_setup.certificates import UnfitCertificate
from sync_setup.forms.setup import ChooseForm, UploadForm
from sync_setup.models import TokenCertificate
from sync_setup.presentation.certificates import (
    Inspection,
    compared_with_servers,
    inspection_of,
    stored_of,
)
from sync_setup.views.places import of_own_draft, organization_of
from sync_setup.wizard_steps import steps_of, url_of


def wizard_context(job: Job, here: str) -> dict[str, Any]:
    """Give what the head of every step takes."""
    return {
        "job": job,
        "organization": organization_of(job),
        "steps": steps_of(job, here),
        "headline": jobs_shown.headline(job),
        "sent_back": jobs_shown.sent_back(job) if job.state == JobState.CHANGES_REQUESTED else None,
    }


@sensitive_post_parameters("password")
@sensitive_variables("password")
@of_own_draft
def certificate(request: SignedInRequest, job: Job) -> HttpResponse:
    """Bring a PFX file, or choose a certificate that is on the servers already."""
    if job.state in AT_CHECKS:
        return redirect(url_of("preflight", job))
    if request.method != "POST":
        return _certificate_page(request, job)
    if "thumbprint" in request.POST:
        return _choose(request, job)
    form = UploadForm(request.POST, request.FILES)
    if _was_cut_off(request):
        form.too_large()
    elif form.is_valid():
        pfx, password = form.cleaned_data["pfx"].read(), form.cleaned_data["password"]
        try:
            drafts.bring_certificate(job, pfx, password, by=request.user)
        except UnfitCertificate as unfit:
            form.add_error("pfx", unfit.message)
            report = inspection_of(unfit.report.as_json())
            return _certificate_page(request, job, upload=form, unfit=unfit, report=report)
        return redirect(url_of("inspection", job))
    return _certificate_page(request, job, upload=form)


def _was_cut_off(request: SignedInRequest) -> bool:
    """Tell whether the upload handler stopped at a file that is too large; then it is in no field."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return "pfx" not in request.FILES and int(length) > LIMIT_BYTES


def _choose(request: SignedInRequest, job: Job) -> HttpResponse:
    reading = shown.newest_reading(organization_of(job), request.user)
    stored = stored_of(reading.facts if reading else None, timezone.now())
    form = ChooseForm([row for row in stored if row.can_be_chosen], request.POST)
    if form.is_valid() and reading is not None:
        with shown_at_fields(form):
            thumbprint = form.cleaned_data["thumbprint"]
            drafts.use_stored_certificate(job, reading, thumbprint, by=request.user)
            return redirect(url_of("inspection", job))
    return _certificate_page(request, job, choose=form)


def _certificate_page(
    request: SignedInRequest,
    job: Job,
    *,
    upload: UploadForm | None = None,
    choose: ChooseForm | None = None,
    unfit: UnfitCertificate | None = None,
    report: Inspection | None = None,
) -> HttpResponse:
    organization = organization_of(job)
    reading = shown.newest_reading(organization, request.user)
    stored = stored_of(reading.facts if reading else None, timezone.now())
    usable = [row for row in stored if row.can_be_chosen]
    context = wizard_context(job, "certificate") | {
        "upload": upload or UploadForm(),
        "choose": choose or ChooseForm(usable),
        "stored": usable,
        "reading": reading,
        "look": look_state.of(organization),
        "chosen": chosen_certificate(job),
        "unfit": unfit,
        "report": report,
    }
    status = 422 if upload or choose else 200
    return render(request, "sync_setup/wizard_certificate.html", context, status=status)


def chosen_certificate(job: Job) -> TokenCertificate | None:
    """Give the certificate that the draft has."""
    chosen = job.inputs.get("certificate")
    found = TokenCertificate.objects.select_related("uploaded_by", "pfx")
    return found.filter(pk=chosen).first() if chosen else None


@require_GET
@of_own_draft
def inspection(request: SignedInRequest, job: Job) -> HttpResponse:
    """What the certificate is, what the inspection found, and how it fits to those on the servers."""
    found = chosen_certificate(job)
    if job.state in AT_CHECKS or found is None:
        return redirect(url_of("preflight" if job.state in AT_CHECKS else "certificate", job))
    reading = shown.newest_reading(organization_of(job), request.user)
    stored = stored_of(reading.facts if reading else None, timezone.now())
    context = wizard_context(job, "inspection") | {
        "certificate": found,
        "report": inspection_of(found.report) if found.report else None,
        "beside": compared_with_servers(found.thumbprint, found.subject, stored),
        "days_left": (found.not_after - timezone.now()).days,
    }
    return render(request, "sync_setup/wizard_inspection.html", context)


@of_own_draft
def plan(request: SignedInRequest, job: Job) -> HttpResponse:
    """The plan as its approver will read it, and the form that sends it."""
    if job.state in AT_CHECKS or job.plan is None:
        return redirect(url_of("preflight", job))
    refused = send_as_asked(request, job) if request.method == "POST" else None
    if request.method == "POST" and refused is None:
        return redirect("jobs:review", job.number)
    context = wizard_context(job, "plan") | send_context(request, job, refused)
    context |= {
        "kind": plans.kind_or_none(job.kind),
        "panels": pages.job_panels(job, request.user),
        "send_url": url_of("plan", job),
    }
    status = 422 if refused else 200
    return render(request, "sync_setup/wizard_plan.html", context, status=status)
