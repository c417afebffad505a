"""What the pages of a job show, read from the database. Every function gives what one partial takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import F, Min, QuerySet
from django.utils import timezone

from portal.access.models import Person, Role
from portal.access.roles import has_role, holders
from portal.jobs import plans
from portal.jobs.approval import usable
from portal.jobs.field_words import words_of
from portal.jobs.lines import in_words
from portal.jobs.models import (
    Approval,
    CheckResult,
    Job,
    JobQuerySet,
    JobStep,
    LogLine,
    Plan,
    PlanStep,
)
from portal.jobs.presentation import ShownChecks, ShownPlan, checks_of, plan_of
from portal.jobs.progress import Progress, ShownRun, Usual, progress_of, runs_of, usual_of
from portal.jobs.states import JobState
from portal.problem import Problem, problem_of_failure

_RUNS_LOOKED_AT = 20
_WAITING_SHOWN = 100
LOG_FIRST = 500
LOG_CHUNK = 100
_SOURCE = re.compile(r"[Ss]ource:?\s*(https://\S+)")


def headline(job: Job) -> str:
    """Give the job's title for people; needs ``scope`` loaded."""
    kind = plans.kind_or_none(job.kind)
    return kind.headline(job) if kind else f"{job.kind}: {job.scope.title}"


def plan_shown(plan: Plan) -> ShownPlan:
    """Read a plan for ``jobs/_plan.html``."""
    rows = plan.steps.order_by("position")
    return plan_of(plan.digest, plan.made_at, rows, _about(plan))


def _about(plan: Plan) -> dict[str, tuple[str, str]]:
    """Give, by step key, the first paragraph of what its author wrote, and the address of its source."""
    kind = plans.kind_or_none(plan.kind)
    found = {}
    for step in kind.steps_of(plan.job) if kind else ():
        text = inspect.cleandoc(type(step).__dict__.get("__doc__") or "")
        source = _SOURCE.search(text)
        found[step.key] = (
            " ".join(text.split("\n\n")[0].split()),
            source.group(1).rstrip(".,;") if source else "",
        )
    return found


def checks_shown(job: Job) -> ShownChecks:
    """Read the checks of a job for ``jobs/_checks.html``."""
    return checks_of(CheckResult.objects.filter(job=job).order_by("position"))


def steps_of(job: Job) -> list[JobStep]:
    """Read the steps of a job, in their order."""
    return list(job.steps.select_related("planned").order_by("position"))


def runs_shown(job: Job, steps: Sequence[JobStep]) -> list[ShownRun]:
    """Read how the steps stand, for ``jobs/_steps.html``."""
    firsts = (
        LogLine.objects.filter(job=job)
        .values_list("position")
        .annotate(seq=Min("seq"))
        .values_list("position", "seq")
    )
    return runs_of(job, steps, {position: seq for position, seq in firsts if position})


def progress_shown(job: Job, steps: Sequence[JobStep]) -> Progress:
    """Read where the job is, for ``jobs/_progress.html``."""
    running = job.started_at is not None and not job.is_final
    return progress_of(job, steps, usual(job.kind) if running else None, timezone.now())


def usual(kind: str) -> Usual | None:
    """Tell how long jobs of this kind usually take, by the last runs that succeeded."""
    done = Job.objects.filter(kind=kind, state=JobState.SUCCEEDED, started_at__isnull=False)
    spans = (
        done.filter(ended_at__isnull=False, plan__isnull=False)
        .order_by("-number")
        .annotate(took=F("ended_at") - F("started_at"))
        .values_list("took", flat=True)[:_RUNS_LOOKED_AT]
    )
    return usual_of([span.total_seconds() for span in spans])


def problem_shown(job: Job) -> Problem | None:
    """Read what stopped the job, for ``_problem.html``; None where nothing did."""
    if not job.failure:
        return None
    position = job.failure.get("position")
    place = ", ".join(
        filter(None, [job.name, job.scope.title, f"step {position}" if position else ""])
    )
    failure = job.failure | {"drift": _drift_in_words(job, position)}
    return problem_of_failure(failure, place=place, at=job.ended_at or job.started_at)


def _drift_in_words(job: Job, position: int | None) -> list[dict[str, str]]:
    """Write the fields that somebody else changed as the plan writes them."""
    rows = (job.failure or {}).get("drift") or []
    step = (
        job.steps.select_related("planned").filter(position=position or 0).first() if rows else None
    )
    words = words_of(step.planned.key) if step else {}
    return [
        {
            "field": row["field"],
            "label": words[row["field"]].label if row["field"] in words else "",
            **{
                side: in_words(row.get(side), words.get(row["field"]))
                for side in ("before", "wanted", "now")
            },
        }
        for row in rows
    ]


@dataclass(frozen=True)
class ShownLog:
    """A part of a job's log, in chunks that the browser need not lay out while they are out of sight.

    :param earlier: number of the line before the first one shown, where there is one.
    :param last: where the next look goes on.
    """

    chunks: list[list[LogLine]] = field(default_factory=list)
    total: int = 0
    earlier: int | None = None
    last: int = 0

    @property
    def first_in_page(self) -> int:
        """Give the first line that a page of this job certainly shows."""
        return max(1, self.total - LOG_FIRST + 1)


def log_shown(job: Job, *, after: int | None = None, limit: int = LOG_FIRST) -> ShownLog:
    """Read the end of the log, or what came after a line; never with a gap.

    :param after: number of the last line the reader has; None for a first look.
    """
    lines = LogLine.objects.filter(job=job)
    if after is None:
        found = list(lines.order_by("-seq")[:limit])[::-1]
    else:
        found = list(lines.filter(seq__gt=after).order_by("seq")[:limit])
    first = found[0].seq if found else 0
    return ShownLog(
        chunks=chunked(found),
        total=job.log_seq,
        earlier=first - 1 if first > 1 and after is None else None,
        last=found[-1].seq if found else after or 0,
    )


def chunked(lines: Sequence[LogLine]) -> list[list[LogLine]]:
    """Cut lines into chunks of LOG_CHUNK."""
    return [list(lines[start : start + LOG_CHUNK]) for start in range(0, len(lines), LOG_CHUNK)]


def deciders(job: Job) -> list[Person]:
    """Name who can approve this job's plan: approvers of its scope, without requester and uploader."""
    without = {job.requester_id, job.plan.uploader_id if job.plan else None}
    return holders(Role.APPROVER, job.scope, without=[pk for pk in without if pk])


def approvals_in_words(job: Job) -> str:
    """Say how many of several approvals a plan that waits has, and whose; '' where one is enough."""
    if job.plan is None or job.plan.approvers < 2 or job.state != JobState.AWAITING_APPROVAL:
        return ""
    given = [str(row.approver) for row in usable(job.plan.pk).select_related("approver")]
    by = f" given by {' and '.join(given)}" if given else ""
    return f"{len(given)} of {job.plan.approvers} approvals{by or ' given'}."


def window_passed(job: Job) -> bool:
    """Tell whether the change window of a plan that waits is over, so that nobody can approve it any more."""
    return job.window_ends_at is not None and job.window_ends_at <= timezone.now()


def may_decide(job: Job, person: Person) -> bool:
    """Tell whether this person can decide about the plan that waits now."""
    return (
        job.state == JobState.AWAITING_APPROVAL
        and job.plan is not None
        and person.pk not in (job.requester_id, job.plan.uploader_id)
        and not job.plan.approvals.filter(approver=person).exists()
        and has_role(person, Role.APPROVER, job.scope)
    )


def may_draft_again(job: Job, person: Person) -> bool:
    """Tell whether this person can start anew what ended otherwise than wanted."""
    kind = plans.kind_or_none(job.kind)
    return (
        job.is_final
        and job.state != JobState.SUCCEEDED
        and kind is not None
        and kind.writes
        and has_role(person, Role.REQUESTER, job.scope)
    )


def waiting_for(person: Person) -> JobQuerySet:
    """Read the jobs whose plan waits for a decision that this person may take."""
    return (
        Job.objects.for_person(person, Role.APPROVER)
        .filter(state=JobState.AWAITING_APPROVAL)
        .exclude(requester=person)
        .exclude(plan__uploader=person)
        .exclude(plan__approvals__approver=person)
    )


def waiting_rows(jobs: JobQuerySet) -> list[tuple[Job, str, str]]:
    """Read what waits for a decision, first to expire first: job, headline, how much its plan changes."""
    ordered = jobs.select_related("scope", "requester", "plan").order_by(
        F("window_ends_at").asc(nulls_last=True), "sent_at"
    )
    return [
        (job, headline(job), plan_shown(job.plan).words if job.plan else "")
        for job in ordered[:_WAITING_SHOWN]
    ]


def decisions(job: Job) -> QuerySet[Approval]:
    """Read who decided what about the plan the job has now."""
    return (
        Approval.objects.filter(plan=job.plan_id).select_related("approver").order_by("decided_at")
    )


def steps_of_plan(plan: Plan) -> list[PlanStep]:
    """Read the rows of a plan, in their order."""
    return list(plan.steps.order_by("position"))


def sent_back(job: Job) -> Approval | None:
    """Read the decision that sent this job back last."""
    rows = Approval.objects.filter(plan__job=job, decision=Approval.Decision.SENT_BACK)
    return rows.select_related("approver").order_by("decided_at").last()
