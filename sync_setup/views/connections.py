from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from sync_setup import actions, look_state
from sync_setup.forms.connections import OrganizationForm
from sync_setup.models import Deployment, EntraTenant, Organization
from sync_setup.views.places import for_admins


@require_GET
@for_admins
def connections(request: SignedInRequest) -> HttpResponse:
    """Everything the portal reaches: tenants, deployments and their servers, organizations."""
    organizations = Organization.objects.select_related("scope", "deployment", "tenant")
    deployments = Deployment.objects.select_related("crm_password", "winrm_credential")
    context = {
        "tenants": EntraTenant.objects.select_related("credential").order_by("name"),
        "deployments": [
            (row, list(row.servers.order_by("name"))) for row in deployments.order_by("name")
        ],
        "organizations": [
            (row, look_state.connection_test(row)) for row in organizations.order_by("unique_name")
        ],
    }
    return render(request, "sync_setup/settings/connections.html", context)


@for_admins
def new_organization(request: SignedInRequest) -> HttpResponse:
    """Register an organization of a deployment."""
    if request.method == "POST":
        form = OrganizationForm(request.POST)
    else:
        form = OrganizationForm(initial={"deployment": request.GET.get("deployment")})
    if form.is_bound and form.is_valid():
        with shown_at_fields(form):
            found = actions.register_organization(by=request.user, **form.cleaned_data)
            messages.success(request, f"{found} registered. Now look at it.")
            return redirect("sync_setup:organization", found.scope.slug)
    context = {
        "form": form,
        "title": "Register an organization",
        "button": "Register the organization",
        "needs_first": not (Deployment.objects.exists() and EntraTenant.objects.exists()),
    }
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/settings/register.html", context, status=status)
