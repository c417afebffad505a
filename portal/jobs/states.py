"""One word per state, with its colour and icon: in pages, mails, the command line and the database."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models


@dataclass(frozen=True)
class Look:
    """How a state is shown: grey at rest, blue at work, purple a person, amber look here, green done, red failed."""

    word: str
    colour: str
    icon: str


class JobState(models.TextChoices):
    """Where a job stands, with the word for it."""

    DRAFT = "draft", "Draft"
    CHECKING = "checking", "Checking"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    AWAITING_APPROVAL = "awaiting_approval", "Awaiting approval"
    APPROVED = "approved", "Approved"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING_EXTERNAL = "waiting_external", "Waiting"
    CANCELLING = "cancelling", "Cancelling"
    CANCELLED = "cancelled", "Cancelled"
    REJECTED = "rejected", "Rejected"
    PLAN_STALE = "plan_stale", "Plan out of date"
    SUCCEEDED = "succeeded", "Succeeded"
    PARTLY_SUCCEEDED = "partly_succeeded", "Partly succeeded"
    FAILED = "failed", "Failed"
    NEEDS_PERSON = "needs_person", "Needs a person"
    OUTCOME_UNKNOWN = "outcome_unknown", "Outcome unknown"


class StepState(models.TextChoices):
    """Where a step of a job stands, with the word for it."""

    TO_DO = "to_do", "To do"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    WARNING = "warning", "Warning"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    NOT_STARTED = "not_started", "Not started"


class Verdict(models.TextChoices):
    """What a check found, with the word for it."""

    PASS = "pass", "Passed"
    WARN = "warn", "Warning"
    BLOCK = "block", "Blocks"
    CANNOT_CHECK = "cannot_check", "Cannot check"
    TO_RECORD = "to_record", "To be recorded by a person"


# A worker may take a job in these states: it checks and plans, or it carries an approved plan out.
AT_CHECKS = (JobState.CHECKING,)
# A job that needs a person is due only where a look can tell that the person has done it.
AT_WORK = (
    JobState.APPROVED,
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.WAITING_EXTERNAL,
    JobState.NEEDS_PERSON,
)
# Looked at without an approval, and never changed again: a look tells what became of the change.
AT_LOOKS = (JobState.OUTCOME_UNKNOWN, JobState.CANCELLING)
CLAIMABLE = AT_CHECKS + AT_WORK + AT_LOOKS
FINAL = (
    JobState.CANCELLED,
    JobState.REJECTED,
    JobState.PLAN_STALE,
    JobState.SUCCEEDED,
    JobState.PARTLY_SUCCEEDED,
    JobState.FAILED,
)
EDITABLE = (JobState.DRAFT, JobState.CHANGES_REQUESTED)

_LOOKS: dict[str, tuple[str, str]] = {
    JobState.DRAFT: ("grey", "draft"),
    JobState.CHECKING: ("blue", "spin"),
    JobState.CHANGES_REQUESTED: ("amber", "back"),
    JobState.AWAITING_APPROVAL: ("purple", "person"),
    JobState.APPROVED: ("blue", "oke"),
    JobState.QUEUED: ("grey", "clock"),
    JobState.RUNNING: ("blue", "spin"),
    JobState.WAITING_EXTERNAL: ("blue", "hour"),
    JobState.CANCELLING: ("grey", "spin"),
    JobState.CANCELLED: ("grey", "slash"),
    JobState.REJECTED: ("red", "slash"),
    JobState.PLAN_STALE: ("amber", "clock"),
    JobState.SUCCEEDED: ("green", "check"),
    JobState.PARTLY_SUCCEEDED: ("amber", "half"),
    JobState.FAILED: ("red", "x"),
    JobState.NEEDS_PERSON: ("purple", "person"),
    JobState.OUTCOME_UNKNOWN: ("amber", "quest"),
    StepState.TO_DO: ("grey", "dot"),
    StepState.WAITING: ("blue", "hour"),
    StepState.DONE: ("green", "check"),
    StepState.WARNING: ("amber", "warn"),
    StepState.SKIPPED: ("grey", "slash"),
    StepState.NOT_STARTED: ("grey", "dot"),
    Verdict.PASS: ("green", "check"),
    Verdict.WARN: ("amber", "warn"),
    Verdict.BLOCK: ("red", "x"),
    Verdict.CANNOT_CHECK: ("amber", "quest"),
    Verdict.TO_RECORD: ("purple", "person"),
}


def look_of(state: JobState | StepState | Verdict) -> Look:
    """Give word, colour and icon of a state."""
    colour, icon = _LOOKS[state]
    return Look(str(state.label), colour, icon)
