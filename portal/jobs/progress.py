"""How far a job is, in words, and how long such jobs usually take. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from portal.jobs.field_words import words_of
from portal.jobs.lines import Line, lines_of
from portal.jobs.models import Job, JobStep
from portal.jobs.states import FINAL, JobState, Look, StepState, look_of

# Below this many finished runs an estimate would be a guess.
ENOUGH_RUNS = 5
_OVER = (StepState.DONE, StepState.WARNING, StepState.SKIPPED)


@dataclass(frozen=True)
class Usual:
    """How long jobs of one kind usually take, in seconds: from the 10th to the 90th percentile of past runs."""

    low: float
    high: float
    middle: float
    runs: int

    @property
    def words(self) -> str:
        return f"usually {span(self.low, self.high)}, {self.runs} runs"

    def left(self, elapsed: float) -> str:
        """Say what is left after so many seconds, with its basis."""
        rest = self.middle - elapsed
        if elapsed > self.high:
            return f"longer than usual ({self.words})"
        return (
            f"about {span(rest, rest)} left ({self.words})"
            if rest > 0
            else f"soon done ({self.words})"
        )


def usual_of(durations: Sequence[float]) -> Usual | None:
    """Give what past runs tell, in seconds each; None where they are too few to tell anything."""
    if len(durations) < ENOUGH_RUNS:
        return None
    ordered = sorted(durations)
    last = len(ordered) - 1
    return Usual(
        ordered[round(last * 0.1)], ordered[round(last * 0.9)], median(ordered), len(ordered)
    )


def span(low: float, high: float) -> str:
    """Write a range of seconds in the unit people use for it: seconds, minutes or hours."""
    size, unit = (1, "s") if high < 90 else (60, "min") if high < 2 * 3600 else (3600, "h")
    first, second = max(1, round(low / size)), max(1, round(high / size))
    return f"{first} {unit}" if first == second else f"{first}–{second} {unit}"


@dataclass(frozen=True)
class ShownRun:
    """One step of a job as it stands.

    :param line: number of its first line in the log.
    :param lines: what it changed, before → read back; only for steps that are over.
    """

    step: JobStep
    title: str
    look: Look
    said: str
    is_current: bool
    is_over: bool
    line: int | None
    lines: tuple[Line, ...] = ()


def runs_of(job: Job, steps: Sequence[JobStep], first_lines: Mapping[int, int]) -> list[ShownRun]:
    """Write the steps of a job, given in their order with ``planned`` loaded."""
    at = current(job, steps)
    return [
        ShownRun(
            step=step,
            title=step.planned.title,
            look=_look(job, step, is_current=step is at),
            said=_said(step),
            is_current=step is at,
            is_over=step.state in _OVER,
            line=first_lines.get(step.position),
            lines=lines_of(step.planned.before, step.after, words=words_of(step.planned.key))
            if step.state in _OVER
            else (),
        )
        for step in steps
    ]


def current(job: Job, steps: Sequence[JobStep]) -> JobStep | None:
    """Give the step the job is at: where it works, waits or stopped; None before its start and after its end."""
    if job.started_at is None or job.state == JobState.SUCCEEDED:
        return None
    failed = next((step for step in steps if step.state == StepState.FAILED), None)
    return failed or next((step for step in steps if step.state not in _OVER), None)


def _look(job: Job, step: JobStep, *, is_current: bool) -> Look:
    """Show a step that waits for a person, or whose outcome is unknown, as its job is shown."""
    if is_current and job.state in (JobState.NEEDS_PERSON, JobState.OUTCOME_UNKNOWN):
        return look_of(JobState(job.state))
    return look_of(StepState(step.state))


def _said(step: JobStep) -> str:
    if step.state in (StepState.TO_DO, StepState.NOT_STARTED):
        return "Not started" if step.state == StepState.NOT_STARTED else ""
    if step.state == StepState.DONE and step.changed:
        return "Changed and read back"
    return step.note


@dataclass(frozen=True)
class Progress:
    """Where a job is.

    :param sentence: plain words: "Step 7 of 13: waiting for the results of the pilot mailbox".
    :param title: for the browser's title: "J-1042 Waiting, 6 of 13".
    :param estimate: what is left and on what basis; empty where nothing runs.
    """

    sentence: str
    title: str
    done: int
    total: int
    elapsed_s: float | None
    estimate: str


def progress_of(job: Job, steps: Sequence[JobStep], usual: Usual | None, now: datetime) -> Progress:
    """Write where the job is at this instant; steps come in their order with ``planned`` loaded."""
    done = sum(step.state in _OVER for step in steps)
    word = look_of(JobState(job.state)).word
    elapsed = _elapsed(job, now)
    estimate = ""
    if (
        job.started_at is not None
        and job.plan_id
        and job.state not in FINAL
        and elapsed is not None
    ):
        estimate = usual.left(elapsed) if usual else "no estimate yet"
    return Progress(
        sentence=_sentence(job, steps, now),
        title=f"{job.name} {word}, {done} of {len(steps)}" if steps else f"{job.name} {word}",
        done=done,
        total=len(steps),
        elapsed_s=elapsed,
        estimate=estimate,
    )


def _elapsed(job: Job, now: datetime) -> float | None:
    if job.started_at is None:
        return None
    return ((job.ended_at or now) - job.started_at).total_seconds()


def _sentence(job: Job, steps: Sequence[JobStep], now: datetime) -> str:
    state = JobState(job.state)
    step = current(job, steps)
    place = f"Step {step.position} of {len(steps)}" if step else ""
    match state:
        case JobState.APPROVED:
            later = job.window_starts_at is not None and job.window_starts_at > now
            return (
                "Approved; waits for its change window" if later else "Approved; waits for a worker"
            )
        case JobState.RUNNING if step:
            return f"{place}: {step.planned.title}"
        case JobState.NEEDS_PERSON if step:
            return f"{place} needs a person: {step.planned.title}"
        case JobState.OUTCOME_UNKNOWN if step:
            return f"{place}: the outcome of a change is unknown"
        case JobState.WAITING_EXTERNAL if step:
            return f"{place}: {job.note or step.planned.title}"
        case JobState.SUCCEEDED if steps:
            return f"All {len(steps)} steps are done and read back"
        case _ if state in FINAL and step:
            return f"Stopped at step {step.position} of {len(steps)}: {step.planned.title}"
    return job.note or look_of(state).word
