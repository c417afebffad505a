"""Check every prerequisite and write the plan: looks only, nothing outside is changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from portal.audit.record import record
from portal.errors import Outpaced, PortalError
from portal.jobs.checks import Check, Found
from portal.jobs.claim import Claim
from portal.jobs.digest import canonical, digest
from portal.jobs.ends import End, back_to_draft, checks_again, defect, failed
from portal.jobs.models import CheckResult, Job, JobStep, Plan, PlanStep
from portal.jobs.plans import PlanKind, ReadingKind
from portal.jobs.policy import approvers_of
from portal.jobs.states import JobState, Verdict
from portal.jobs.step import KnownAfter, Look, NeedsPerson, NotYet, Planned, Step
from portal.vault.actions import keep_for_plan

STOPPING = (Verdict.BLOCK, Verdict.CANNOT_CHECK, Verdict.TO_RECORD)


def stale_read_s() -> float:
    """Give how long a replicated directory may still show the state before a change."""
    return float(settings.STALE_READ_S)


def prepare(claim: Claim, job: Job, kind: PlanKind, *, poisoned: bool) -> End:
    """Run the checks; when none stops, look with every step and keep the plan.

    :param poisoned: workers were lost in this again and again; it is not tried once more.
    :return: back to the requester: with a plan to send, or with what stands in the way.
    """
    if poisoned:
        lost = PortalError(
            "Workers were lost three times while they checked.", code="SSS-WORKER-LOST"
        )
        return back_to_draft(lost) if kind.writes else failed(lost, None)
    if isinstance(kind, ReadingKind):
        return _observe(claim, job, kind)
    try:
        return _prepare(claim, job, kind)
    except NotYet as wait:
        return checks_again(wait)
    except NeedsPerson as stop:
        return back_to_draft(PortalError(stop.text, code="SSS-NEEDS-PERSON"))
    except (Outpaced, OperationalError, InterfaceError):
        raise
    except PortalError as error:
        return back_to_draft(error)
    except Exception as bug:
        return back_to_draft(defect(bug))


def _prepare(claim: Claim, job: Job, kind: PlanKind) -> End:
    with kind.open(job, {}) as context:
        stopping = _check(claim, job, kind, context)
        if stopping:
            return End(
                JobState.DRAFT,
                event="job.checked",
                note=f"{stopping} of {len(kind.checks)} checks stand in the way.",
                detail={"stopping": stopping},
            )
        claim.write(note="Makes the plan: every step looks.")
        rows = _plan(kind, job, context)
    _keep(claim, job, kind, rows)
    return End(JobState.DRAFT, event="job.checked", note="The plan is ready to send.")


def _observe(claim: Claim, job: Job, kind: ReadingKind) -> End:
    with kind.open(job, {}) as context:
        facts = kind.observe(context)
    with transaction.atomic():
        claim.write(note="Read.")
        kind.keep(job, facts)
    return End(JobState.SUCCEEDED, event="job.succeeded")


def _check(claim: Claim, job: Job, kind: PlanKind, context: Any) -> int:
    stopping = 0
    for position, check in enumerate(kind.checks, 1):
        claim.write(note=f"Check {position} of {len(kind.checks)}: {check.title}")
        found = _find(check, context)
        stopping += found.verdict in STOPPING
        with transaction.atomic():
            claim.write(run_after=job.run_after)  # proves the fence for the row beside it
            CheckResult.objects.filter(job=job, key=check.key).delete()
            CheckResult.objects.create(
                job=job,
                position=position,
                key=check.key,
                group=check.group,
                title=check.title,
                verdict=found.verdict,
                finding=found.finding,
                evidence=dict(found.evidence),
                fix=found.fix,
                source=check.source,
            )
    return stopping


def _find(check: Check[Any], context: Any) -> Found:
    try:
        return check.find(context)
    except PortalError as error:
        detail = dict(getattr(error, "detail", {}))
        return Found(Verdict.CANNOT_CHECK, f"{error.message} ({error.code})", detail, error.remedy)
    except (DatabaseError, NotYet, NeedsPerson):
        raise
    except Exception as bug:
        own = defect(bug)
        return Found(Verdict.CANNOT_CHECK, f"{own.message} ({own.code})", {}, own.remedy)


def _plan(kind: PlanKind, job: Job, context: Any) -> list[PlanStep]:
    """Look with every step, in order, and say what each wants."""
    rows: list[PlanStep] = []
    earlier: list[Planned] = []
    for position, step in enumerate(kind.steps_of(job), 1):
        look = step.look(context, None)
        wanted = step.wanted(context, look, earlier)
        earlier.append(Planned(step.key, look.fields, wanted))
        rows.append(_row(position, step, look, wanted, context))
    return rows


def _row(position: int, step: Step[Any], look: Look, wanted: Any, context: Any) -> PlanStep:
    return PlanStep(
        position=position,
        key=step.key,
        title=step.describe(context),
        system=step.system,
        group=step.group,
        resources=sorted(step.resources(context)),
        before=dict(look.fields),
        wanted={
            name: value.to_json() if isinstance(value, KnownAfter) else value
            for name, value in wanted.items()
        },
        shown=dict(look.shown),
        undo=step.undo,
        is_reversible=step.is_reversible,
        notice=step.notice,
    )


def bound(kind: PlanKind, job: Job) -> dict[str, Any]:
    """Give what a plan is about beside its steps; it is compared again at every turn of the run."""
    return {
        "target": kind.target(job),
        "inputs": job.inputs,
        "secrets": kind.secret_ids(job),
        "approvers": approvers_of(job.scope, kind.approved_as(job)),
    }


@transaction.atomic
def _keep(claim: Claim, job: Job, kind: PlanKind, rows: list[PlanStep]) -> None:
    """Write the plan, immutable from here on, and the steps that will follow it."""
    secret_ids = kind.secret_ids(job)
    binding = bound(kind, job)
    text = canonical(
        {
            "portal": str(claim.portal_id),
            "job": job.name,
            "kind": kind.slug,
            "version": kind.version,
            **binding,
            "steps": [
                {
                    "key": row.key,
                    "resources": row.resources,
                    "before": row.before,
                    "wanted": row.wanted,
                }
                for row in rows
            ],
        }
    )
    plan = Plan.objects.create(
        job=job,
        kind=kind.slug,
        kind_version=kind.version,
        canonical=text,
        digest=digest(text),
        requester=job.requester,
        uploader=kind.uploader(job),
        proof=kind.proof(job),
        writes=kind.writes,
        approvers=binding["approvers"],
        secret_ids=secret_ids,
    )
    for row in rows:
        row.plan = plan
        row.save(force_insert=True)
    JobStep.objects.filter(job=job).delete()
    JobStep.objects.bulk_create(
        JobStep(job=job, planned=row, position=row.position) for row in rows
    )
    claim.write(plan=plan)
    keep_for_plan(secret_ids)
    record(
        "job.planned",
        job,
        by=None,
        scope=job.scope,
        job_number=job.number,
        digest=plan.digest,
        plan=plan.pk,
    )
