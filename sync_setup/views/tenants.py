from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from portal.errors import NotFound
from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from sync_setup import actions
from sync_setup.clouds import cloud_of
from sync_setup.forms.connections import TenantAccessForm, TenantForm
from sync_setup.models import EntraTenant
from sync_setup.views.places import for_admins


def tenant_for(number: int) -> EntraTenant:
    """Give a tenant.

    :raises NotFound: when there is none of that number.
    """
    found = EntraTenant.objects.select_related("credential__made_by").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such tenant.", remedy="Open the list of connections.")
    return found


@for_admins
def new(request: SignedInRequest) -> HttpResponse:
    """Register a tenant."""
    form = TenantForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with shown_at_fields(form):
            tenant = actions.register_tenant(by=request.user, **form.cleaned_data)
            messages.success(request, f"{tenant} registered. Now enter its setup app.")
            return redirect("sync_setup:tenant", tenant.pk)
    context = {"form": form, "title": "Register a tenant", "button": "Register the tenant"}
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/settings/register.html", context, status=status)


@sensitive_post_parameters("secret", "pem")
@sensitive_variables("credential")
@for_admins
def tenant(request: SignedInRequest, number: int) -> HttpResponse:
    """One tenant: who it is, and the setup app by which workers enter it. A secret is never shown again."""
    found = tenant_for(number)
    if request.method != "POST":
        return _page(request, found, TenantAccessForm(found, initial=_initial(found)))
    form = TenantAccessForm(found, request.POST, request.FILES)
    if form.is_valid():
        with shown_at_fields(form, credential=form.credential_field):
            actions.set_tenant_access(
                found,
                by=request.user,
                access=form.cleaned_data["access"],
                client_id=form.cleaned_data["client_id"],
                credential=form.credential,
                keeps=form.cleaned_data["keeps"],
            )
            messages.success(request, f"Setup app of {found} saved. Test the connection now.")
            return redirect("sync_setup:tenant", found.pk)
    return _page(request, tenant_for(number), form)


def _initial(tenant: EntraTenant) -> dict[str, object]:
    return {
        "client_id": str(tenant.client_id or ""),
        "access": tenant.access,
        "keeps": tenant.keeps_access,
    }


def _page(request: SignedInRequest, tenant: EntraTenant, form: TenantAccessForm) -> HttpResponse:
    context = {
        "tenant": tenant,
        "cloud": cloud_of(tenant.cloud),
        "form": form,
        "organizations": tenant.organizations.select_related("scope").order_by("unique_name"),
    }
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/settings/tenant.html", context, status=status)
