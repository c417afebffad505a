from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.access.models import Role
from portal.http import SignedInRequest
from portal.jobs import actions
from sync_setup import shown
from sync_setup.forms.setup import StartForm
from sync_setup.models import Organization
from sync_setup.views.places import organizations_of


def new(request: SignedInRequest) -> HttpResponse:
    """Choose an organization; the draft of its setup is made at once, so that nothing entered later is lost."""
    organizations = organizations_of(request, Role.REQUESTER)
    if request.method != "POST":
        form = StartForm(organizations, initial={"org": request.GET.get("org", "")})
        return render_new(request, form)
    form = StartForm(organizations, request.POST)
    if not form.is_valid():
        return render_new(request, form)
    chosen: Organization = form.cleaned_data["org"]
    job = actions.draft_job(shown.CONNECT, chosen.scope, by=request.user)
    return redirect("sync_setup:wizard-certificate", job.number)


def render_new(request: SignedInRequest, form: StartForm) -> HttpResponse:
    """Show the form, and the drafts that are there already."""
    organizations = list(organizations_of(request, Role.REQUESTER))
    drafts = [
        draft
        for organization in organizations
        for draft in shown.open_drafts(request.user, organization.scope, shown.CONNECT)
    ]
    context: dict[str, Any] = {"form": form, "organizations": organizations, "drafts": drafts}
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/new_setup.html", context, status=status)
