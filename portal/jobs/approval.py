"""Whether an approval holds: one question, asked in SQL wherever it matters."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from portal.access.models import Role, RoleGrant
from portal.jobs.models import Approval, Plan


def usable(plan: int | OuterRef | None) -> QuerySet[Approval]:
    """Give the approvals of exactly this plan (an id or an OuterRef) that nobody has used and whose time has not passed.

    An approval of somebody who has lost the role since, or may no longer sign in, is none.
    """
    role = RoleGrant.objects.filter(
        Q(scope=None) | Q(scope=OuterRef("plan__job__scope")),
        person=OuterRef("approver"),
        role=Role.APPROVER,
    )
    return _approved(plan).filter(
        Exists(role), use=None, start_by__gt=Now(), approver__is_active=True
    )


def approval_holds() -> Q:
    """Give the condition, over a Job, under which its plan may be carried out now, by the database's clock.

    As many people as the plan asks for approved exactly this digest, and either these approvals are
    unused and their latest start has not passed, or this very job used one up at its start, not longer
    than APPROVAL_LIFE_S ago. A plan that asks for nobody exists only against the simulator: the
    database refuses any other. It reads only the job's own columns outside the subqueries: an UPDATE
    that joins would not be rechecked against a concurrent claim.
    """
    begun = used_by(OuterRef("number"), OuterRef("plan_id"))
    return Q(Exists(_fully_approved())) | Q(Exists(begun))


def _fully_approved() -> QuerySet[Plan]:
    """Give the plan of the outer job if enough people have approved it."""
    counted = Q(approvals__in=usable(OuterRef("pk")).values("pk"))
    plans = Plan.objects.filter(pk=OuterRef("plan_id"), job=OuterRef("number"))
    given = plans.annotate(given=Count("approvals", filter=counted, distinct=True))
    return given.filter(given__gte=F("approvers"))


def approvals_missing(plan: Plan) -> int:
    """Give how many more people must approve this plan."""
    return max(0, plan.approvers - usable(plan.pk).count())


def used_by(job: int | OuterRef, plan: int | OuterRef | None) -> QuerySet[Approval]:
    """Give the approvals of the plan that this job used up at its start, not longer than APPROVAL_LIFE_S ago."""
    life = timedelta(seconds=settings.APPROVAL_LIFE_S)
    return _approved(plan).filter(use__job=job, use__at__gt=Now() - life)


def _approved(plan: int | OuterRef | None) -> QuerySet[Approval]:
    return Approval.objects.filter(
        plan=plan, digest=F("plan__digest"), decision=Approval.Decision.APPROVED
    )
