"""Who may open what: every page of this app begins here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from portal import pages
from portal.access.models import Role
from portal.access.roles import demand, has_role
from portal.errors import NotFound
from portal.http import SignedInRequest
from portal.jobs.models import Job
from portal.jobs.states import AT_CHECKS, EDITABLE
from portal.jobs.views import job_for
from sync_setup.models import Organization, OrganizationQuerySet, ServerProfile
from sync_setup.shown import CONNECT

P = ParamSpec("P")
View = Callable[Concatenate[SignedInRequest, P], HttpResponse]
OfDraft = Callable[[SignedInRequest, Job], HttpResponse]


def organizations_of(request: SignedInRequest, *roles: str) -> OrganizationQuerySet:
    """Give the organizations this person answers for, with what their pages need."""
    found = Organization.objects.for_person(request.user, *roles)
    return found.select_related("scope", "deployment", "tenant").order_by("unique_name", "pk")


def organization_for(request: SignedInRequest, slug: str) -> Organization:
    """Give the organization, if this person may know of it.

    :raises NotFound: for one that does not exist and for one that is not theirs alike.
    """
    found = organizations_of(request).filter(scope__slug=slug).first()
    if found is None:
        raise NotFound(
            f"There is no organization {slug} for you.",
            remedy="Check the address.\nIf you should answer for it, ask an admin of the portal.",
        )
    return found


def profile_for(organization: Organization, profile_id: UUID) -> ServerProfile:
    """Give a server profile of the organization, as last read.

    :raises NotFound: when the portal never saw it, or it was gone at the last look.
    """
    found = organization.server_profiles.filter(profile_id=profile_id, is_gone=False).first()
    if found is None:
        raise NotFound(
            f"{organization} has no such email server profile.",
            remedy="Look at the organization again: what is there now stands on its list of profiles.",
        )
    return found


def frame(request: SignedInRequest, organization: Organization) -> dict[str, Any]:
    """Give what head and tabs of an organization's pages take."""
    return {
        "organization": organization,
        "address": organization.deployment.organization_url(organization.unique_name),
        "tabs": pages.tabs_of(organization.scope),
        "may_request": has_role(request.user, Role.REQUESTER, organization.scope),
    }


def for_admins(view: View[P]) -> View[P]:
    """Let admins in, and tell everybody else which role is missing."""

    @wraps(view)
    def guarded(request: SignedInRequest, /, *args: P.args, **options: P.kwargs) -> HttpResponse:
        demand(request.user, Role.ADMIN)
        return view(request, *args, **options)

    return guarded


def of_own_draft(view: OfDraft) -> Callable[[SignedInRequest, int], HttpResponse]:
    """Open a step of a setup's draft to its requester; everybody else goes to the job's page."""

    @wraps(view)
    def opened(request: SignedInRequest, number: int) -> HttpResponse:
        job = job_for(request, number)
        is_own = job.requester_id == request.user.pk and job.kind == CONNECT
        if not is_own or job.state not in EDITABLE + AT_CHECKS:
            return redirect("jobs:job", number)
        return view(request, job)

    return opened


def organization_of(job: Job) -> Organization:
    """Give the organization that a job is about."""
    organizations = Organization.objects.select_related("scope", "deployment", "tenant")
    return organizations.get(scope=job.scope_id)


def back_or(request: SignedInRequest, url: str) -> str:
    """Give the page that a form named as the one to go back to, if it is one of the portal's own."""
    back = request.POST.get("back", "")
    allowed = url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    )
    return back if allowed else url
