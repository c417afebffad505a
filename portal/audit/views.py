from __future__ import annotations

from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.access.models import Scope
from portal.audit import wording
from portal.audit.forms import HistoryFilter
from portal.audit.models import Entry
from portal.errors import NotFound
from portal.http import SignedInRequest
from portal.paging import page_of


@require_GET
def history(request: SignedInRequest) -> HttpResponse:
    """Who did what, when, newest first, of the scopes this person answers for."""
    asked = HistoryFilter(request.GET, Scope.objects.for_person(request.user).order_by("title"))
    entries = asked.keep(Entry.objects.for_person(request.user))
    page = page_of(entries.select_related("actor", "scope"), request.GET)
    shown = [wording.shown(entry) for entry in page.rows]
    days = [
        (list(members), day)
        for day, members in groupby(shown, key=lambda row: timezone.localtime(row.entry.at).date())
    ]
    return render(request, "audit/list.html", {"filter": asked, "page": page, "days": days})


@require_GET
def entry(request: SignedInRequest, number: int) -> HttpResponse:
    """One line of the history in full."""
    entries = Entry.objects.for_person(request.user).select_related("actor", "scope")
    found = entries.filter(pk=number).first()
    if found is None:
        raise NotFound(
            f"The history has no line {number} for you.",
            remedy="Check the number.\nLines of organizations you do not answer for are not shown.",
        )
    context = {
        "shown": wording.shown(found),
        "entry": found,
        "lines": wording.lines(found),
        "rest": wording.rest(found),
    }
    return render(request, "audit/entry.html", context)
