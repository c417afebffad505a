from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.access.models import Role
from portal.http import SignedInRequest
from portal.jobs import actions
from sync_setup import shown
from sync_setup.forms.setup import StartForm
from sync_setup.views.places import organizations_of


def new(request: SignedInRequest) -> HttpResponse:
    """Choose an organization; the draft of its setup is made at once, so that nothing entered later is lost."""
    organizations = list(organizations_of(request, Role.REQUESTER))
    if request.method != "POST":
        asked = request.GET.get("org", "")
        return _page(request, StartForm(organizations, initial={"org": asked}))
    form = StartForm(organizations, request.POST)
    if not form.is_valid():
        return _page(request, form)
    job = actions.draft_job(shown.CONNECT, form.organization.scope, by=request.user)
    return redirect("sync_setup:wizard-certificate", job.number)


def _page(request: SignedInRequest, form: StartForm) -> HttpResponse:
    """Show the form, and the drafts that are there already."""
    drafts = [
        draft
        for row in form.by_slug.values()
        for draft in shown.open_drafts(request.user, row.scope, shown.CONNECT)
    ]
    context = {"form": form, "organizations": form.by_slug, "drafts": drafts}
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/new_setup.html", context, status=status)
