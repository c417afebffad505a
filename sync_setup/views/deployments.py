from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import formset_factory
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from portal.errors import NotFound
from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from portal.jobs.models import Installation
from sync_setup import actions, look_state, servers
from sync_setup.forms.connections import (
    DeploymentAccessForm,
    DeploymentForm,
    NewServerForm,
    ServerChangeForm,
    ServerForm,
)
from sync_setup.models import CrmServer, Deployment
from sync_setup.views.places import for_admins

ROWS, MOST_ROWS = 3, 30
Servers = formset_factory(ServerForm, extra=ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS)


def deployment_for(slug: str) -> Deployment:
    """Give a deployment.

    :raises NotFound: when there is none of that name.
    """
    related = Deployment.objects.select_related(
        "crm_password__made_by", "winrm_credential__made_by"
    )
    found = related.filter(slug=slug).first()
    if found is None:
        raise NotFound("There is no such deployment.", remedy="Open the list of connections.")
    return found


@for_admins
def new(request: SignedInRequest) -> HttpResponse:
    """Register a deployment with its servers."""
    if request.method != "POST":
        return _new_page(request, DeploymentForm(), Servers(prefix="servers"))
    form = DeploymentForm(request.POST)
    if "more" in request.POST:
        rows = request.POST.copy()
        rows["servers-TOTAL_FORMS"] = str(min(MOST_ROWS, _count(rows) + ROWS))
        return _new_page(request, DeploymentForm(initial=request.POST.dict()), _unjudged(rows))
    rows_form = Servers(request.POST, prefix="servers")
    if all([form.is_valid(), rows_form.is_valid()]):
        with shown_at_fields(form):
            deployment = actions.register_deployment(
                **form.cleaned_data,
                servers=[row.address for row in rows_form if row.address],
                is_simulated=_is_rehearsal(),
                by=request.user,
            )
            messages.success(request, f"{deployment} registered. Now enter its accounts.")
            return redirect("sync_setup:deployment", deployment.slug)
    return _new_page(request, form, rows_form, status=422)


def _count(rows: Any) -> int:
    text = rows.get("servers-TOTAL_FORMS", "")
    return int(text) if text.isdigit() else ROWS


def _unjudged(rows: Any) -> Any:
    """Give the rows as they were typed, without errors: more of them were asked for, nothing else."""
    initial = [
        {name: rows.get(f"servers-{number}-{name}") for name in ("name", "host", "port", "tools")}
        for number in range(_count(rows))
    ]
    more = formset_factory(ServerForm, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS)
    return more(prefix="servers", initial=initial)


def _is_rehearsal() -> bool:
    installation = Installation.objects.first()
    return installation is not None and installation.mode == "rehearsal"


def _new_page(request: SignedInRequest, form: Any, rows: Any, status: int = 200) -> HttpResponse:
    context = {"form": form, "rows": rows, "has_errors": status == 422}
    return render(request, "sync_setup/settings/deployment_new.html", context, status=status)


@sensitive_post_parameters("crm_password", "winrm_password", "pem")
@sensitive_variables("form")
@for_admins
def deployment(request: SignedInRequest, slug: str) -> HttpResponse:
    """One deployment: its servers, and the accounts by which workers reach it. A secret is never shown again."""
    found = deployment_for(slug)
    if request.method != "POST":
        return _page(request, found)
    form = DeploymentAccessForm(request.POST, request.FILES)
    if form.is_valid():
        with shown_at_fields(form, credential="pem"):
            cleaned = form.cleaned_data
            actions.set_deployment_access(
                found,
                by=request.user,
                crm_username=cleaned["crm_username"],
                crm_password=cleaned["crm_password"],
                winrm_username=cleaned["winrm_username"],
                winrm_credential=form.winrm_credential,
                winrm_sign_in=cleaned["winrm_sign_in"],
                adfs_client_id=cleaned["adfs_client_id"],
            )
            messages.success(request, f"Accounts of {found} saved. Test the connection now.")
            return redirect("sync_setup:deployment", slug)
    return _page(request, deployment_for(slug), access=form)


@for_admins
def add_server(request: SignedInRequest, slug: str) -> HttpResponse:
    """Register one more server of a deployment."""
    found = deployment_for(slug)
    if request.method != "POST":
        return redirect("sync_setup:deployment", slug)
    form = NewServerForm(request.POST)
    if form.is_valid() and form.address is not None:
        with shown_at_fields(form):
            server = servers.add_server(found, form.address, by=request.user)
            messages.success(request, f"{server} registered. Run the checks again.")
            return redirect("sync_setup:deployment", slug)
    return _page(request, found, new_server=form)


@for_admins
def change_server(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Change where a server is reached, and the module it must have."""
    found = deployment_for(slug)
    server = found.servers.filter(pk=number).first()
    if server is None:
        raise NotFound(f"{found} has no such server.", remedy="Open the page of the deployment.")
    if request.method != "POST":
        return redirect("sync_setup:deployment", slug)
    form = ServerChangeForm(server, request.POST)
    if form.is_valid():
        with shown_at_fields(form):
            servers.change_server(server, by=request.user, **form.cleaned_data)
            messages.success(request, f"{server} saved.")
            return redirect("sync_setup:deployment", slug)
    return _page(request, found, changed=form)


def _page(
    request: SignedInRequest,
    deployment: Deployment,
    *,
    access: DeploymentAccessForm | None = None,
    new_server: NewServerForm | None = None,
    changed: ServerChangeForm | None = None,
) -> HttpResponse:
    refused = next((form for form in (access, new_server, changed) if form is not None), None)
    organizations = deployment.organizations.select_related("scope").order_by("unique_name")
    context = {
        "deployment": deployment,
        "access": access or DeploymentAccessForm(initial=_initial(deployment)),
        "new_server": new_server or NewServerForm(),
        "servers": [
            (server, _form_of(server, changed)) for server in deployment.servers.order_by("name")
        ],
        "organizations": [(row, look_state.connection_test(row)) for row in organizations],
        "refused": refused,
    }
    return render(
        request, "sync_setup/settings/deployment.html", context, status=422 if refused else 200
    )


def _form_of(server: CrmServer, changed: ServerChangeForm | None) -> ServerChangeForm:
    if changed is not None and changed.server.pk == server.pk:
        return changed
    return ServerChangeForm(server)


def _initial(deployment: Deployment) -> dict[str, str]:
    names = ("crm_username", "adfs_client_id", "winrm_sign_in", "winrm_username")
    return {name: str(getattr(deployment, name)) for name in names}
