"""Undo of a job: a plan of its own, from the befores that were kept, approved like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from portal.access.models import Person, Scope
from portal.errors import BadInput, Conflict
from portal.jobs import plans
from portal.jobs.models import Installation, Job, JobStep
from portal.jobs.plans import PlanKind
from portal.jobs.step import Done, Gap, Look, NotYet, Order, Planned, Step, Value

SLUG = "undo-job"
STAYS = "changed by somebody else since, stays"


class TakeBack(Step[Any]):
    """Take back what a step of an earlier job did. What somebody else has changed since stays."""

    def __init__(self, inner: Step[Any], done: Done) -> None:
        self.inner = inner
        self.done = done
        self.key = f"undo-{inner.key}"
        self.title = f"Take back: {inner.title}"
        self.group = inner.group
        self.system = inner.system
        self.undo = inner.back_loses or "What the earlier job did can be planned and done anew."
        self.is_reversible = not inner.back_loses
        self.notice = inner.back_notice or inner.notice
        self.settle_s = inner.settle_s
        self.reads_may_be_stale = inner.reads_may_be_stale
        self.seen_until = inner.seen_until

    def resources(self, context: Any) -> Sequence[str]:
        return self.inner.resources(context)

    def look(self, context: Any, mark: Any) -> Look:
        # What is taken back is a state: nothing of it must be newer than something else.
        found = self.inner.look(context, None)
        others = self.inner.foreign(context, found, self.done)
        shown = {**found.shown, STAYS: others}
        return Look(found.fields, shown if others else found.shown, found.made)

    def wanted(self, context: Any, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return self.inner.back(context, _own(look), self.done)

    def change(self, context: Any, look: Look, gaps: Mapping[str, Gap], order: Order) -> None:
        self.inner.take_back(context, _own(look), gaps, order, self.done)

    def at_work(self, context: Any, order: Order) -> NotYet | None:
        return self.inner.back_at_work(context, order, self.done)


def _own(look: Look) -> Look:
    """Give a look as the step itself made it: what it showed may be a table of its own."""
    shown = {name: value for name, value in look.shown.items() if name != STAYS}
    return Look(look.fields, shown, look.made)


@dataclass(frozen=True)
class Part:
    """One step of a job, and what of it stays, or is lost for good, when the job is undone."""

    title: str
    why: str


class UndoJob(PlanKind):
    """Take back what one finished, failed or cancelled job did, in reverse order."""

    slug = SLUG
    title = "Undo a job"
    version = 1
    steps = ()
    has_policy = False
    not_touched = "What somebody else has changed since, and everything the job found settled."

    def open(self, job: Job, made: dict[str, dict[str, str]]) -> AbstractContextManager[Any]:
        done = job_to_undo(job)
        of_then = {row.planned.key: row.made for row in done.steps.select_related("planned")}
        return plans.kind_of(done.kind).open_to_undo(done, of_then, made)

    def steps_of(self, job: Job) -> Sequence[Step[Any]]:
        done = job_to_undo(job)
        kind = plans.kind_of(done.kind)
        rows = {row.planned.key: row for row in _changed(done)}
        able = _able(done)
        portal_id = Installation.objects.get().portal_id
        # What is none of these, the kind has put in between to be carried out as it is.
        return [
            TakeBack(step, _done(portal_id, done, rows[step.key])) if step in able else step
            for step in kind.backwards(able)
        ]

    def target(self, job: Job) -> dict[str, Any]:
        done = job_to_undo(job)
        assert done.plan is not None  # noqa: S101 -- a job that changed something had one
        return {"undo of": done.plan.digest, **plans.kind_of(done.kind).target(done)}

    def clean_inputs(self, scope: Scope, inputs: dict[str, Any], *, by: Person) -> dict[str, Any]:
        number = inputs.get("of")
        done = Job.objects.filter(number=number, scope=scope).first() if number else None
        if done is None:
            raise BadInput("There is no such job in this organization.", field="of")
        if not done.is_final:
            raise BadInput(
                f"{done.name} has not ended yet.", remedy="Cancel it first, or wait.", field="of"
            )
        if done.kind == SLUG:
            raise BadInput(
                f"{done.name} is an undo itself.",
                remedy="Draft the job anew that it took back.",
                field="of",
            )
        if not _changed(done):
            raise BadInput(f"{done.name} changed nothing, so there is nothing to undo.", field="of")
        if not _able(done):
            raise BadInput(
                f"Nothing that {done.name} did can be taken back by a plan.",
                remedy="\n".join(f"{item.title}: {item.why}" for item in what_stays(done)),
                field="of",
            )
        return {"of": done.number}

    def approved_as(self, job: Job) -> str:
        """Taking back needs as many people as doing did."""
        return job_to_undo(job).kind

    def headline(self, job: Job) -> str:
        return f"Undo J-{job.inputs['of']}: {job.scope.title}"


def job_to_undo(job: Job) -> Job:
    """Give the job that an undo is about."""
    return Job.objects.select_related("plan", "scope").get(number=job.inputs["of"])


def may_be_undone(job: Job) -> bool:
    """Tell whether there is anything of this job that an undo would take back."""
    return job.is_final and job.kind != SLUG and job.plan_id is not None and bool(_able(job))


def what_goes_back(done: Job) -> list[Part]:
    """Name what an undo takes back, in the order it does, each with what is lost for good by it."""
    able = _able(done)
    ordered = plans.kind_of(done.kind).backwards(able)
    return [Part(step.title, step.back_loses) for step in ordered if step in able]


def what_stays(done: Job) -> list[Part]:
    """Name what an undo of this job leaves as it is: what cannot go back, or not wholly."""
    kind = plans.kind_of(done.kind)
    rows = {row.planned.key: row for row in _changed(done)}
    portal_id = Installation.objects.get().portal_id
    told = [
        (step.title, step.stays(_done(portal_id, done, rows[step.key])))
        for step in kind.steps_of(done)
        if step.key in rows
    ]
    return [Part(title, why) for title, why in told if why]


def _changed(job: Job) -> list[JobStep]:
    return list(job.steps.filter(changed=True).select_related("planned").order_by("position"))


def _able(done: Job) -> list[Step[Any]]:
    keys = {row.planned.key for row in _changed(done)}
    steps = plans.kind_of(done.kind).steps_of(done)
    return [step for step in steps if step.key in keys and step.takes_back]


def _done(portal_id: Any, job: Job, row: JobStep) -> Done:
    if job.plan is None:
        raise Conflict(f"{job.name} has no plan.")
    return Done(
        portal_id=portal_id,
        job=job.name,
        digest=job.plan.digest,
        step=row.planned.key,
        before=row.planned.before,
        after=row.after,
        shown=row.planned.shown,
        made=row.made,
    )
