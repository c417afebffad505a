from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.http import SignedInRequest
from sync_setup import ews, shown
from sync_setup.recorded import EWS_ALLOW_LIST
from sync_setup.views.places import organizations_of


@require_GET
def calendar(request: SignedInRequest) -> HttpResponse:
    """The end of EWS: which days count, who says so, and how each organization stands until then."""
    today = timezone.localdate()
    rows = [
        (row, next(item for item in row.readiness.items if item.key == EWS_ALLOW_LIST.key))
        for row in shown.organizations_shown(list(organizations_of(request)))
    ]
    context = {
        "milestones": [(item, item.on <= today) for item in ews.MILESTONES],
        "end": ews.END,
        "days_left": ews.days_left(today),
        "ways_on": ews.WAYS_ON,
        "rows": rows,
    }
    return render(request, "sync_setup/ews.html", context)
