from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from portal.jobs.policy import policies_of, set_policy
from sync_setup.forms.policies import PolicyForm
from sync_setup.views.places import for_admins, organization_for


@for_admins
def policies(request: SignedInRequest, slug: str) -> HttpResponse:
    """How many people approve what is changed in an organization, by kind of change."""
    organization = organization_for(request, slug)
    form = PolicyForm(organization.scope, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with shown_at_fields(form):
            row = set_policy(organization.scope, by=request.user, **form.cleaned_data)
            messages.success(request, f"{row}. Plans that wait are made anew under it.")
            return redirect("sync_setup:policies", slug)
    context = {
        "organization": organization,
        "policies": policies_of(organization.scope),
        "form": form,
    }
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/settings/policies.html", context, status=status)
