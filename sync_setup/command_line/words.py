"""What the verbs tell people: the words of the pages, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from portal.audit.models import Entry
from portal.audit.wording import shown as entry_shown
from portal.jobs import plans, shown
from portal.jobs.lines import Line, Op, counted
from portal.jobs.models import Job, JobStep, LogLine, Plan
from portal.jobs.presentation import ShownCheck, ShownStep
from portal.jobs.progress import ShownRun
from portal.jobs.states import JobState, Verdict, look_of


def moment(at: datetime | None) -> str:
    """Write an instant in the reader's zone, with the zone's name."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}" if at else "not yet"


def job_text(job: Job) -> str:
    """Write how a job stands; needs ``scope``, ``plan`` and ``requester`` loaded."""
    steps = shown.steps_of(job)
    progress = shown.progress_shown(job, steps)
    lines = [
        f"{job.name}  {look_of(JobState(job.state)).word}  {shown.headline(job)}",
        f"  {progress.sentence}",
        f"  Asked for by {job.requester}" + (f", ticket {job.ticket}" if job.ticket else ""),
    ]
    lines += [f"  Why: {job.reason}"] if job.reason else []
    if job.window_starts_at:
        window = f"{moment(job.window_starts_at)} to {moment(job.window_ends_at)}"
        lines.append(f"  Change window: {window}")
    if decided := decision_text(job):
        lines.append(f"  {decided}")
    lines += [f"  {progress.estimate}"] if progress.estimate else []
    return "\n".join(lines + _problem(job))


def decision_text(job: Job) -> str:
    """Write who decided what about the plan, or who sent it back; empty while nobody has."""
    rows = list(shown.decisions(job)) if job.plan_id else []
    if job.state == JobState.CHANGES_REQUESTED and (back := shown.sent_back(job)):
        rows = [back]
    return "; ".join(
        f"{row.get_decision_display()} by {row.approver}, {moment(row.decided_at)}"
        + (f": {row.comment}" if row.comment else "")
        for row in rows
    )


def _problem(job: Job) -> list[str]:
    problem = shown.problem_shown(job)
    if problem is None:
        return []
    lines = [f"  {problem.message} ({problem.code})"]
    lines += [f"  State now: {problem.state_now}"] if problem.state_now else []
    lines += [f"  To do: {fix}" for fix in problem.fix]
    return lines + [f"  {name}: {value}" for name, value in problem.detail.items()]


def checks_text(job: Job) -> str:
    """Write the checks, what needs somebody first."""
    checks = shown.checks_shown(job)
    if not checks.total:
        return "No check has run yet."
    lines = [f"{counted(checks.total, 'check')}: {checks.words}"]
    for check in checks.problems:
        lines += _check(check)
    return "\n".join(lines)


def _check(check: ShownCheck) -> list[str]:
    word = "To record" if check.verdict == Verdict.TO_RECORD else check.look.word
    lines = [f"  {word}: {check.title}", f"      {check.finding}"]
    lines += [f"      {name}: {value}" for name, value in check.evidence]
    lines += [f"      To do: {fix}" for fix in check.fix]
    return lines + ([f"      Source: {check.source}"] if check.source else [])


def plan_text(plan: Plan) -> str:
    """Write a plan as the difference it makes: old → new."""
    found = shown.plan_shown(plan)
    kind = plans.kind_or_none(plan.kind)
    lines = [f"Plan {plan.digest}", f"  made {moment(plan.made_at)}: {found.words}"]
    for group in found.groups:
        lines += ["", f"  {group.title} ({group.words})"]
        for step in group.steps:
            lines += _step(step)
    if kind:
        lines += [""] + [
            f"  {title}: {text}"
            for title, text in (
                ("Who notices", kind.who_notices),
                ("Not touched", kind.not_touched),
            )
            if text
        ]
    return "\n".join(lines)


def _step(step: ShownStep) -> list[str]:
    changes = [line for line in step.lines if line.op is not Op.KEEP]
    lines = [f"  {step.position:>2}. {step.title}  [{step.system}]"]
    if not changes:
        return [*lines, "        nothing to change"]
    lines += [f"      {line_text(line)}" for line in changes]
    kept = len(step.lines) - len(changes)
    lines += [f"      = {counted(kept, 'field')} as before"] if kept else []
    lines += [f"        Seen: {name} {value}" for name, value in step.evidence]
    if not step.is_reversible:
        lines.append("        Cannot be undone.")
    elif step.undo:
        lines.append(f"        To undo: {step.undo}")
    return lines + ([f"        Who notices: {step.notice}"] if step.notice else [])


def line_text(line: Line) -> str:
    """Write one line of a plan: ``~ colour: red → green``."""
    new = line.after or line.new
    sides = {
        Op.KEEP: line.old or "",
        Op.ADD: new or "",
        Op.CHANGE: f"{line.old} → {new}",
        Op.REMOVE: line.old or "",
    }
    raw = f" ({line.raw})" if line.raw else ""
    return f"{line.op.sign} {line.field}{raw}: {sides[line.op]}"


def steps_text(job: Job, steps: Sequence[JobStep]) -> str:
    """Write how far each step is."""
    return "\n".join(_run(run) for run in shown.runs_shown(job, steps))


def _run(run: ShownRun) -> str:
    took = f", {run.step.seconds:.1f} s" if run.step.seconds is not None else ""
    said = f": {run.said}" if run.said else ""
    return f"  {run.step.position:>2}. {run.look.word:<10} {run.title}{said}{took}"


def log_text(line: LogLine) -> str:
    """Write one line of a job's log."""
    return f"{timezone.localtime(line.at):%H:%M:%S}  {line.level:<7}  {line.text}"


def entry_text(entry: Entry) -> str:
    """Write one line of the history; needs ``actor`` and ``scope`` loaded."""
    found = entry_shown(entry)
    who = str(entry.actor) if entry.actor else "the portal"
    job = f" J-{entry.job_number}" if entry.job_number else ""
    where = f" [{entry.scope.title}]" if entry.scope else ""
    rest = f": {found.summary}" if found.summary else ""
    return f"#{entry.pk}  {moment(entry.at)}  {who} {found.words}{job}{where} ({found.via}){rest}"
