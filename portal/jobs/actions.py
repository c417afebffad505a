"""What people do with jobs. Each: check, change, history, bell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from portal.access.models import Person, Role, Scope
from portal.access.roles import demand
from portal.errors import BadInput, NotAllowed, Outpaced
from portal.jobs import plans
from portal.jobs.approval import approvals_missing
from portal.jobs.bell import ring_after_commit
from portal.jobs.claim import database_clock
from portal.jobs.closing import close
from portal.jobs.models import Approval, CheckResult, Job, Plan
from portal.jobs.moving import keep_secrets, move, say
from portal.jobs.states import EDITABLE, JobState

OPEN_DRAFTS = 10
WINDOW_AHEAD = timedelta(days=7)


@transaction.atomic
def draft_job(kind: str, scope: Scope, *, by: Person, inputs: dict[str, Any] | None = None) -> Job:
    """Make J-<number> as a draft at once, so that nothing entered later is lost.

    :raises NotAllowed: without the requester role in this scope, or with too many open drafts.
    """
    demand(by, Role.REQUESTER, scope)
    found = plans.kind_of(kind)
    open_drafts = Job.objects.filter(requester=by, state__in=EDITABLE, kind=kind).count()
    if open_drafts >= OPEN_DRAFTS:
        raise NotAllowed(
            f"You have {open_drafts} open drafts of this kind.",
            remedy="Send or discard one of them first.",
            code="SSS-DRAFTS",
        )
    cleaned = found.clean_inputs(scope, inputs or {}, by=by)
    job = Job.objects.create(kind=kind, scope=scope, requester=by, inputs=cleaned)
    say("job.drafted", job, by=by, kind=kind)
    return job


@transaction.atomic
def change_inputs(job: Job, *, by: Person, **inputs: Any) -> Job:
    """Take over what the requester chose. A plan made before is no longer the job's.

    :raises NotAllowed: for anybody but the requester. :raises Outpaced: when it is no draft any more.
    """
    _own(job, by)
    cleaned = plans.kind_of(job.kind).clean_inputs(job.scope, job.inputs | inputs, by=by)
    move(job, EDITABLE, JobState.DRAFT, inputs=cleaned, plan=None, failure=None, note="")
    CheckResult.objects.filter(job=job).delete()
    # Names of inputs only: a pilot's address or an owner's name must not stand in history for good.
    say("job.inputs_changed", job, by=by, changed=sorted(inputs))
    return job


@transaction.atomic
def ask_for_checks(job: Job, *, by: Person) -> Job:
    """Have a worker run the checks and, when none stands in the way, make the plan."""
    _own(job, by)
    move(
        job,
        EDITABLE,
        JobState.CHECKING,
        plan=None,
        failure=None,
        run_after=Now(),
        note="Waits for a worker.",
    )
    say("job.checks_asked", job, by=by)
    ring_after_commit(job.number)
    return job


@transaction.atomic
def start_reading(
    kind: str, scope: Scope, *, by: Person, inputs: dict[str, Any] | None = None
) -> Job:
    """Start a job that only reads, or give the one under way; nobody needs to approve it.

    :raises BadInput: for a kind that writes.
    """
    found = plans.kind_of(kind)
    if found.writes:
        raise BadInput(f"{found.title} changes something; it needs a plan and an approval.")
    if not Scope.objects.for_person(by).filter(pk=scope.pk).exists():
        demand(by, Role.VIEWER, scope)
    under_way = Job.objects.filter(kind=kind, scope=scope, state=JobState.CHECKING).first()
    if under_way is not None:
        return under_way
    job = Job.objects.create(
        kind=kind,
        scope=scope,
        requester=by,
        inputs=found.clean_inputs(scope, inputs or {}, by=by),
        state=JobState.CHECKING,
        run_after=Now(),
        started_at=Now(),
        note="Waits for a worker.",
    )
    say("job.checks_asked", job, by=by, kind=kind)
    ring_after_commit(job.number)
    return job


@transaction.atomic
def send_for_approval(
    job: Job,
    *,
    by: Person,
    reason: str,
    ticket: str = "",
    window: tuple[datetime, datetime] | None = None,
) -> Job:
    """Freeze the plan and put it before the approvers.

    :param window: change window (start, end), aware; at most 7 days ahead. Without one it runs once approved.
    :raises BadInput: without a reason, or for a window that lies wrong. :raises Outpaced: without a plan.
    """
    _own(job, by)
    if not reason.strip():
        raise BadInput(
            "Say why this is needed.", remedy="The approver decides by it.", field="reason"
        )
    if job.plan is None:
        raise Outpaced("There is no plan to send.", remedy="Run the checks first.")
    if job.plan.approvals.exists():
        raise Outpaced(
            "Somebody has decided about this plan already.",
            remedy="Run the checks again: the new plan is decided about anew.",
        )
    starts, ends = _window(window)
    keep_secrets(job.plan)
    move(
        job,
        EDITABLE,
        JobState.AWAITING_APPROVAL,
        still={"plan": job.plan},
        reason=reason.strip(),
        ticket=ticket.strip(),
        sent_at=Now(),
        window_starts_at=starts,
        window_ends_at=ends,
        note="",
    )
    say("job.sent", job, by=by, digest=job.plan.digest)
    if job.plan.approvers == 0:
        _set_off(job, job.plan)
    return job


def _window(window: tuple[datetime, datetime] | None) -> tuple[datetime | None, datetime | None]:
    if window is None:
        return None, None
    starts, ends = window
    now = database_clock()
    if not now < ends or not starts < ends or ends > now + WINDOW_AHEAD:
        raise BadInput(
            "The change window must end after it starts, in the future, within 7 days.",
            remedy="Choose another window.",
            field="window",
        )
    return starts, ends


@transaction.atomic
def withdraw_job(job: Job, *, by: Person) -> Job:
    """Take a plan back before anybody decided; the draft stays."""
    _own(job, by)
    move(job, (JobState.AWAITING_APPROVAL,), JobState.DRAFT, note="")
    say("job.withdrawn", job, by=by)
    return job


@transaction.atomic
def discard_draft(job: Job, *, by: Person) -> Job:
    """Throw a draft away; its line in the list and in history stays, its secrets go.

    :raises NotAllowed: for anybody but the requester. :raises Outpaced: when it is no draft any more.
    """
    _own(job, by)
    secret_ids = plans.kind_of(job.kind).secret_ids(job)
    move(job, EDITABLE, JobState.CANCELLED, ended_at=Now(), note="Discarded as a draft.")
    close(job, secret_ids=secret_ids)
    say("job.discarded", job, by=by)
    return job


@transaction.atomic
def approve_job(
    job: Job, *, by: Person, digest: str, proof: str = "", comment: str = "", sent: str = ""
) -> Approval:
    """Approve exactly the plan with this digest; once committed, the job is due.

    :param proof: what the plan asks the approver to type (the last 4 characters of the thumbprint).
    :param sent: the instant at which what the approver read was sent (``sending_of``): the same plan
        can be sent again with another window or reason.
    :raises NotAllowed: without the approver role here, or for one's own request or certificate.
    :raises Outpaced: when the plan is another one by now, or somebody decided first.
    :raises BadInput: when the proof does not match.
    """
    plan = _plan_to_decide(job, by=by, digest=digest, sent=sent)
    given = "".join(proof.split()).upper()
    if plan.proof and given != plan.proof.upper():
        raise BadInput(
            "These are not the last characters of the new certificate's thumbprint.",
            remedy="Read them from the message of whoever issued the certificate, not from this page.",
            code="SSS-PROOF",
            field="proof",
        )
    now = database_clock()
    if job.window_ends_at is not None and job.window_ends_at <= now:
        raise BadInput(
            "The change window of this plan has passed.",
            remedy="Send it back, so that the requester names another window.",
            code="SSS-WINDOW-PASSED",
            field="window",
        )
    keep_secrets(plan)
    start_by = job.window_ends_at or now + timedelta(seconds=settings.APPROVAL_LIFE_S)
    approval = _decide(
        job, plan, Approval.Decision.APPROVED, by=by, start_by=start_by, comment=comment.strip()
    )
    detail = {"digest": plan.digest, "approval": approval.pk, "start_by": start_by}
    if missing_people := approvals_missing(plan):
        move(
            job,
            (JobState.AWAITING_APPROVAL,),
            JobState.AWAITING_APPROVAL,
            still={"plan": plan},
            note=f"{missing_people} more must approve it.",
        )
        say("job.approved", job, by=by, **detail)
        return approval
    _set_off(job, plan)
    say("job.approved", job, by=by, **detail)
    return approval


def _set_off(job: Job, plan: Plan) -> None:
    """Make a job due whose plan has all the approvals it asks for."""
    move(
        job,
        (JobState.AWAITING_APPROVAL,),
        JobState.APPROVED,
        still={"plan": plan},
        run_after=job.window_starts_at or Now(),
        note="",
    )
    ring_after_commit(job.number)


@transaction.atomic
def send_back_job(job: Job, *, by: Person, digest: str, comment: str) -> Approval:
    """Give the plan back to its requester with a comment."""
    return _turn_down(
        job,
        Approval.Decision.SENT_BACK,
        JobState.CHANGES_REQUESTED,
        "job.sent_back",
        by,
        digest,
        comment,
    )


@transaction.atomic
def reject_job(job: Job, *, by: Person, digest: str, comment: str) -> Approval:
    """Say no to the plan; the job ends."""
    return _turn_down(
        job, Approval.Decision.REJECTED, JobState.REJECTED, "job.rejected", by, digest, comment
    )


def _turn_down(
    job: Job, decision: str, state: JobState, event: str, by: Person, digest: str, comment: str
) -> Approval:
    if not comment.strip():
        raise BadInput("Say what is to be changed.", field="comment")
    plan = _plan_to_decide(job, by=by, digest=digest)
    approval = _decide(job, plan, decision, by=by, comment=comment.strip())
    ended = Now() if state == JobState.REJECTED else None
    move(
        job,
        (JobState.AWAITING_APPROVAL,),
        state,
        still={"plan": plan},
        ended_at=ended,
        note=comment.strip(),
        # What was sent back is planned anew: a person decides about one plan once.
        plan=plan if state == JobState.REJECTED else None,
    )
    if state == JobState.REJECTED:
        close(job)
    say(event, job, by=by, digest=digest)
    return approval


def sending_of(job: Job) -> str:
    """Name the sending of a plan that waits, for the form by which somebody decides about it."""
    return job.sent_at.isoformat() if job.sent_at else ""


def _plan_to_decide(job: Job, *, by: Person, digest: str, sent: str = "") -> Plan:
    """Give the plan if it is still what was read; nobody sends or withdraws the job until the end of the transaction."""
    demand(by, Role.APPROVER, job.scope)
    if by.pk == job.requester_id:
        raise NotAllowed(
            "You asked for this job, so somebody else decides about it.", code="SSS-OWN-REQUEST"
        )
    fresh = Job.objects.select_related("plan").select_for_update(of=("self",)).get(pk=job.pk)
    if (
        fresh.plan is None
        or fresh.plan.digest != digest
        or fresh.state != JobState.AWAITING_APPROVAL
        or sent not in ("", sending_of(fresh))
    ):
        raise Outpaced(
            "This is no longer the plan that waits for a decision.",
            remedy="Reload the page and read what it says now.",
            code="SSS-PLAN-CHANGED",
        )
    if by.pk == fresh.plan.uploader_id:
        raise NotAllowed(
            "You uploaded this certificate, so somebody else decides about it.",
            code="SSS-OWN-CERTIFICATE",
        )
    job.window_starts_at, job.window_ends_at = fresh.window_starts_at, fresh.window_ends_at
    return fresh.plan


def _decide(
    job: Job,
    plan: Plan,
    decision: str,
    *,
    by: Person,
    start_by: datetime | None = None,
    comment: str = "",
) -> Approval:
    try:
        with transaction.atomic():
            return Approval.objects.create(
                plan=plan,
                digest=plan.digest,
                decision=decision,
                approver=by,
                requester_id=plan.requester_id,
                uploader_id=plan.uploader_id,
                start_by=start_by,
                comment=comment,
            )
    except IntegrityError:
        raise Outpaced(
            "You have decided about this plan already.", remedy="Reload the page."
        ) from None


@transaction.atomic
def draft_again(job: Job, *, by: Person) -> Job:
    """Draft a new job with the choices of one that ended: it starts from what is there now.

    :raises Outpaced: while the job has not ended.
    """
    if not job.is_final:
        raise Outpaced(f"{job.name} has not ended yet.")
    return draft_job(job.kind, job.scope, by=by, inputs=job.inputs)


def _own(job: Job, by: Person) -> None:
    demand(by, Role.REQUESTER, job.scope)
    if job.requester_id != by.pk:
        raise NotAllowed(
            f"{job.name} is the request of {job.requester}.", remedy="Ask them, or make your own."
        )
