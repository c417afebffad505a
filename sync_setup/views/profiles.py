from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from portal.errors import BadInput
from portal.forms import shown_at_fields
from portal.http import SignedInRequest
from portal.jobs import actions
from portal.jobs.models import Job
from sync_setup import look_state, shown
from sync_setup.clouds import cloud_of
from sync_setup.forms.profiles import NewProfileForm, ProfileForm
from sync_setup.models import Organization, ServerProfile
from sync_setup.presentation.profiles import OWN, ProfileShown, profile_of, standard_of
from sync_setup.server_profiles import ACTIVE, INACTIVE, STATE
from sync_setup.views.places import frame, organization_for, profile_for


@require_GET
def profiles(request: SignedInRequest, slug: str) -> HttpResponse:
    """The email server profiles of an organization, as last read."""
    found = organization_for(request, slug)
    rows = found.server_profiles.filter(is_gone=False).order_by("-is_active", "name")
    context = frame(request, found) | {
        "rows": [(row, _shown(row, found)) for row in rows],
        "gone": list(found.server_profiles.filter(is_gone=True).order_by("name")),
        "look": look_state.of(found),
    }
    return render(request, "sync_setup/profiles.html", context)


@require_GET
def profile(request: SignedInRequest, slug: str, profile_id: UUID) -> HttpResponse:
    """One profile: its fields beside those a setup would make, and the mailboxes that use it."""
    found = organization_for(request, slug)
    row = profile_for(found, profile_id)
    context = frame(request, found) | {
        "profile": row,
        "shown": _shown(row, found),
        "look": look_state.of(found),
        "jobs": _open_jobs(found, profile_id),
    }
    return render(request, "sync_setup/profile.html", context)


def _shown(row: ServerProfile, organization: Organization) -> ProfileShown:
    return profile_of(row.fields, cloud_of(organization.tenant.cloud).ews_url)


def _open_jobs(organization: Organization, profile_id: UUID) -> list[Job]:
    jobs = Job.objects.filter(scope=organization.scope, kind=shown.CHANGE_PROFILE).unfinished()
    return list(jobs.filter(inputs__profile_id=str(profile_id)).order_by("-number"))


def change(request: SignedInRequest, slug: str, profile_id: UUID) -> HttpResponse:
    """Choose other values; what differs becomes the draft of a plan."""
    found = organization_for(request, slug)
    row = profile_for(found, profile_id)
    form = ProfileForm(row.fields, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with shown_at_fields(form):
            if not form.values:
                raise BadInput("Nothing was changed.", remedy="Change a field, or go back.")
            return _draft(request, found, row, form.values)
    context = frame(request, found) | {"profile": row, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/profile_change.html", context, status=status)


def to_standard(request: SignedInRequest, slug: str, profile_id: UUID) -> HttpResponse:
    """Draft the plan that brings a profile to what a setup would make of it."""
    found = organization_for(request, slug)
    row = profile_for(found, profile_id)
    if request.method != "POST":
        return redirect("sync_setup:profile", slug, profile_id)
    wanted = standard_of(row.fields, cloud_of(found.tenant.cloud).ews_url)
    values = {
        name: value
        for name, value in wanted.items()
        if name not in OWN and row.fields.get(name) != value
    }
    return _draft(request, found, row, values)


def set_state(request: SignedInRequest, slug: str, profile_id: UUID) -> HttpResponse:
    """Draft the plan that switches a profile on or off."""
    found = organization_for(request, slug)
    row = profile_for(found, profile_id)
    if request.method != "POST":
        return redirect("sync_setup:profile", slug, profile_id)
    active = request.POST.get("state") == "active"
    return _draft(request, found, row, {STATE: ACTIVE if active else INACTIVE})


def _draft(
    request: SignedInRequest, organization: Organization, row: ServerProfile, values: dict[str, Any]
) -> HttpResponse:
    inputs = {"profile_id": str(row.profile_id), "values": values}
    return _draft_of(request, organization, inputs)


def new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Name a new profile; its other fields are as a setup would make them."""
    found = organization_for(request, slug)
    form = NewProfileForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with shown_at_fields(form):
            return _draft_of(
                request,
                found,
                {
                    "profile_id": "",
                    "values": {"name": form.cleaned_data["name"]},
                    "profile_owner": form.cleaned_data["profile_owner"],
                },
            )
    wanted = standard_of({"servertype": 3}, cloud_of(found.tenant.cloud).ews_url)
    context = frame(request, found) | {
        "form": form,
        "standard": profile_of(wanted, cloud_of(found.tenant.cloud).ews_url),
    }
    status = 422 if form.is_bound else 200
    return render(request, "sync_setup/profile_new.html", context, status=status)


def _draft_of(
    request: SignedInRequest, organization: Organization, inputs: dict[str, Any]
) -> HttpResponse:
    job = actions.draft_job(
        shown.CHANGE_PROFILE, organization.scope, by=request.user, inputs=inputs
    )
    return redirect("jobs:job", job.number)
