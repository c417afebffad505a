"""Whether an approval holds: one question, asked in SQL wherever it matters."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from portal.jobs.models import Approval


def usable(plan: int | OuterRef | None) -> QuerySet[Approval]:
    """Give the approvals of exactly this plan (an id or an OuterRef) that nobody has used and whose time has not passed."""
    return _approved(plan).filter(use=None, start_by__gt=Now())


def approval_holds() -> Q:
    """Give the condition, over a Job, under which its plan may be carried out now, by the database's clock.

    Somebody approved exactly this digest, and either the approval is unused and its latest start has
    not passed, or this very job used it up at its start, not longer than APPROVAL_LIFE_S ago. It reads
    only the job's own columns outside the subqueries: an UPDATE that joins would not be rechecked
    against a concurrent claim.
    """
    begun = used_by(OuterRef("number"), OuterRef("plan_id"))
    return Q(Exists(usable(OuterRef("plan_id")))) | Q(Exists(begun))


def used_by(job: int | OuterRef, plan: int | OuterRef | None) -> QuerySet[Approval]:
    """Give the approvals of the plan that this job used up at its start, not longer than APPROVAL_LIFE_S ago."""
    life = timedelta(seconds=settings.APPROVAL_LIFE_S)
    return _approved(plan).filter(use__job=job, use__at__gt=Now() - life)


def _approved(plan: int | OuterRef | None) -> QuerySet[Approval]:
    return Approval.objects.filter(
        plan=plan, digest=F("plan__digest"), decision=Approval.Decision.APPROVED
    )
