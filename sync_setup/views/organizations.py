from __future__ import annotations

from base64 import b64decode
from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.access.models import Role
from portal.access.roles import has_role_everywhere
from portal.audit import wording
from portal.audit.models import Entry
from portal.errors import NotFound
from portal.http import SignedInRequest
from portal.jobs import actions
from portal.jobs.models import Job
from portal.jobs.shown import headline
from portal.paging import page_of
from sync_setup import look_state, shown
from sync_setup.gateways.identifiers import THUMBPRINT
from sync_setup.presentation.certificates import stored_of
from sync_setup.views.next_step import next_step
from sync_setup.views.places import back_or, frame, organization_for, organizations_of


@require_GET
def organizations(request: SignedInRequest) -> HttpResponse:
    """Every organization this person answers for, and how it stands."""
    rows = shown.organizations_shown(list(organizations_of(request)))
    context = {"rows": rows, "is_admin": has_role_everywhere(request.user, Role.ADMIN)}
    return render(request, "sync_setup/organizations.html", context)


@require_GET
def organization(request: SignedInRequest, slug: str) -> HttpResponse:
    """How ready one organization is, item by item, as last read."""
    found = organization_for(request, slug)
    row = shown.organization_shown(found)
    context = frame(request, found) | {
        "row": row,
        "look": look_state.of(found),
        "next": next_step(row, request.user),
        "servers": list(found.deployment.servers.order_by("name")),
        "approvers": shown.approvers(found),
        "changes": [(job, headline(job)) for job in shown.last_changes(found)],
    }
    return render(request, "sync_setup/organization.html", context)


def look(request: SignedInRequest, slug: str) -> HttpResponse:
    """Have a worker look at the organization; the page shows the result once it is there."""
    found = organization_for(request, slug)
    page = reverse("sync_setup:organization", args=[slug])
    if request.method == "POST":
        running = look_state.of(found).running
        if running is None:
            actions.start_reading(look_state.READ, found.scope, by=request.user)
        return redirect(back_or(request, page))
    return redirect(page)


@require_GET
def look_live(request: SignedInRequest, slug: str) -> HttpResponse:
    """The line that says that somebody looks now; once they have, the page it stands on starts anew."""
    found = organization_for(request, slug)
    state = look_state.of(found)
    if state.running is None:
        return HttpResponse(headers={"HX-Refresh": "true", "Cache-Control": "no-store"})
    context = {"organization": found, "look": state, "oob": True}
    response = render(request, "sync_setup/_looking.html", context)
    response["Cache-Control"] = "no-store"
    return response


def test_connection(request: SignedInRequest, slug: str) -> HttpResponse:
    """Have a worker try every door of the organization; its job's page shows what each answered."""
    found = organization_for(request, slug)
    if request.method != "POST":
        return redirect("sync_setup:organization", slug)
    job = actions.start_reading(look_state.TEST, found.scope, by=request.user)
    return redirect("jobs:job", job.number)


@require_GET
def certificates(request: SignedInRequest, slug: str) -> HttpResponse:
    """What signs the tokens now, what was brought for later, and what is past. Public facts only."""
    found = organization_for(request, slug)
    reading = shown.newest_reading(found, request.user)
    stored = stored_of(reading.facts if reading else None, timezone.now())
    brought = found.deployment.certificates.select_related("uploaded_by").order_by("-made_at")
    on_servers = {row.thumbprint for row in stored}
    context = frame(request, found) | {
        "reading": reading,
        "look": look_state.of(found),
        "in_use": [row for row in stored if row.is_issuer],
        "others": [row for row in stored if not row.is_issuer and row.days_left > 0],
        "past": [row for row in stored if not row.is_issuer and row.days_left <= 0],
        "brought": [row for row in brought[:50] if row.thumbprint not in on_servers],
        "keys": _keys(reading.facts if reading else {}),
    }
    return render(request, "sync_setup/certificates.html", context)


def _keys(facts: dict[str, object]) -> list[dict[str, str]]:
    found = facts.get("keys")
    return found if isinstance(found, list) else []


@require_GET
def certificate_file(request: SignedInRequest, slug: str, thumbprint: str) -> HttpResponse:
    """The public part of a certificate as a .cer file, for whoever else has to know it."""
    found = organization_for(request, slug)
    # PostgreSQL refuses to be asked for a NUL.
    is_one = THUMBPRINT.fullmatch(thumbprint)
    der = _public_part(request, slug, thumbprint) if is_one else None
    if der is None:
        raise NotFound(f"{found} has no certificate {thumbprint}.", remedy="Look again.")
    name = f"{found.unique_name}-{thumbprint[-8:]}.cer"
    return HttpResponse(
        der,
        content_type="application/pkix-cert",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _public_part(request: SignedInRequest, slug: str, thumbprint: str) -> bytes | None:
    found = organization_for(request, slug)
    reading = shown.newest_reading(found, request.user)
    for row in reading.facts["certificates"] if reading else ():
        if row["thumbprint"] == thumbprint:
            return b64decode(row["raw"])
    brought = found.deployment.certificates.filter(thumbprint=thumbprint).first()
    return bytes(brought.public_der) if brought else None


@require_GET
def jobs(request: SignedInRequest, slug: str) -> HttpResponse:
    """The jobs of one organization, newest first."""
    found = organization_for(request, slug)
    asked = Job.objects.for_person(request.user).filter(scope=found.scope)
    page = page_of(asked.select_related("scope", "requester"), request.GET, key="number")
    rows = [(job, headline(job)) for job in page.rows]
    context = frame(request, found) | {"page": page, "rows": rows}
    return render(request, "sync_setup/jobs.html", context)


@require_GET
def history(request: SignedInRequest, slug: str) -> HttpResponse:
    """The history of one organization, newest first."""
    found = organization_for(request, slug)
    entries = Entry.objects.for_person(request.user).filter(scope=found.scope)
    page = page_of(entries.select_related("actor", "scope"), request.GET)
    lines = [wording.shown(entry) for entry in page.rows]
    days = [
        (list(members), day)
        for day, members in groupby(lines, key=lambda row: timezone.localtime(row.entry.at).date())
    ]
    context = frame(request, found) | {"page": page, "days": days}
    return render(request, "sync_setup/history.html", context)
