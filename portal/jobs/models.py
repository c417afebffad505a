"""Jobs, plans, approvals: the truth of what was asked, agreed and done."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from portal.access.models import Person, Scope
from portal.jobs.states import CLAIMABLE, FINAL, JobState, StepState, Verdict

PERSON = settings.AUTH_USER_MODEL


class Installation(models.Model):
    """This database's identity: one row. A restore raises the epoch, so nothing older is obeyed by CRM servers."""

    portal_id = models.UUIDField(default=uuid.uuid4)
    mode = models.CharField(
        max_length=10, choices=[("rehearsal", "Rehearsal"), ("production", "Production")]
    )
    epoch = models.PositiveBigIntegerField(default=1)
    # The one counter that every claim takes its fence from.
    fence = models.PositiveBigIntegerField(default=0)
    # While set, steps end but nothing new is claimed: for upgrades (manage.py engine drain).
    is_draining = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="installation_is_one_row")]

    def __str__(self) -> str:
        return f"{self.mode} {self.portal_id}"


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, kept to those of a person or to those a worker may take."""

    def for_person(self, person: Person, *roles: str) -> JobQuerySet:
        """Keep the jobs of scopes this person answers for (in one of ``roles``, where some are named)."""
        return self.filter(scope__in=Scope.objects.for_person(person, *roles))

    def due(self) -> JobQuerySet:
        """Keep the jobs a worker may take now, the longest due first."""
        free = Q(lease_ends_at=None) | Q(lease_ends_at__lt=Now())
        return self.filter(free, state__in=CLAIMABLE, run_after__lte=Now()).order_by("run_after")

    def unfinished(self) -> JobQuerySet:
        """Keep the jobs that are not at their end."""
        return self.exclude(state__in=FINAL)


class Job(models.Model):
    """One piece of work somebody asked for: J-<number>, from draft to its end."""

    number = models.BigAutoField(primary_key=True)
    kind = models.SlugField(max_length=48)
    scope = models.ForeignKey(Scope, on_delete=models.PROTECT, related_name="jobs")
    state = models.CharField(max_length=20, choices=JobState, default=JobState.DRAFT)
    requester = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    # What the requester chose, by plan kind; ids and names, never a secret.
    inputs = models.JSONField(default=dict)
    plan = models.ForeignKey("Plan", null=True, on_delete=models.PROTECT, related_name="+")
    window_starts_at = models.DateTimeField(null=True)
    window_ends_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Somebody wants it to end; from then on nothing is changed outside any more.
    cancel_asked_at = models.DateTimeField(null=True)
    # When it is due, and who holds it until when.
    run_after = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    lease_ends_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=96, blank=True)
    # Workers lost in a row while they held it; a turn that ends sets it back.
    lost_workers = models.PositiveSmallIntegerField(default=0)
    # What the page says of now: "waiting for the results of the pilot mailbox".
    note = models.TextField(blank=True)
    failure = models.JSONField(null=True)
    log_seq = models.PositiveIntegerField(default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["run_after"], condition=Q(state__in=CLAIMABLE), name="job_due"),
            models.Index(fields=["scope", "-number"], name="job_by_scope"),
            models.Index(fields=["state", "-number"], name="job_by_state"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"J-{self.number}"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_moving(self) -> bool:
        """Whether a page about it should look again by itself."""
        return self.state in CLAIMABLE


class ApprovalPolicy(models.Model):
    """How many people approve plans of one kind (or, with no kind, of every kind) in one scope; without a row one."""

    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, related_name="policies")
    kind = models.SlugField(max_length=48, blank=True)
    approvers = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "kind"], name="one_policy_a_scope_a_kind"),
            models.CheckConstraint(condition=Q(approvers__lte=2), name="policy_names_two_at_most"),
        ]

    def __str__(self) -> str:
        return f"{self.scope}, {self.kind or 'every kind'}: {self.approvers}"


class Plan(models.Model):
    """What will be written, as it was when everything was looked at. Never changed: a trigger refuses."""

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="plans")
    kind = models.SlugField(max_length=48)
    kind_version = models.PositiveIntegerField()
    canonical = models.TextField()
    digest = models.CharField(max_length=64)
    requester = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    # Whoever brought the certificate decides nothing about it either.
    uploader = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    # What an approver must type from a second channel; empty where nothing of the kind exists.
    proof = models.CharField(max_length=8, blank=True)
    writes = models.BooleanField()
    # How many people must approve it, by the policy of the day it was made; 0 only where all is simulated.
    approvers = models.PositiveSmallIntegerField(default=1)
    secret_ids = models.JSONField(default=list)
    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"plan {self.digest[:8]} of J-{self.job_id}"


class PlanStep(models.Model):
    """One step of a plan: per field, before and wanted. Never changed: a trigger refuses."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=64)
    title = models.CharField(max_length=160)
    system = models.CharField(max_length=64)
    group = models.CharField(max_length=96)
    resources = models.JSONField(default=list)
    before = models.JSONField(default=dict)
    wanted = models.JSONField(default=dict)
    # Evidence for the reader: never compared, never in the digest.
    shown = models.JSONField(default=dict)
    undo = models.TextField(blank=True)
    is_reversible = models.BooleanField(default=True)
    notice = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="plan_step_position_once"),
            models.UniqueConstraint(fields=["plan", "key"], name="plan_step_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.title}"

    @property
    def changes(self) -> bool:
        return bool(self.before != self.wanted)


class Approval(models.Model):
    """One person's decision about one plan. Never changed: a trigger refuses.

    Requester, uploader and digest are copies, proven equal to the plan's by a trigger, so that the
    CHECK below can compare people within the row.
    """

    class Decision(models.TextChoices):
        APPROVED = "approved", "Approved"
        SENT_BACK = "sent_back", "Sent back"
        REJECTED = "rejected", "Rejected"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="approvals")
    digest = models.CharField(max_length=64)
    decision = models.CharField(max_length=9, choices=Decision)
    approver = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    requester = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    uploader = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    comment = models.TextField(blank=True)
    decided_at = models.DateTimeField(db_default=Now())
    # An approved job must start before this.
    start_by = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(approver=F("requester"))
                & (Q(uploader=None) | ~Q(approver=F("uploader"))),
                name="approver_is_neither_requester_nor_uploader",
            ),
            models.CheckConstraint(
                condition=~Q(decision="approved") | Q(start_by__isnull=False),
                name="approval_names_its_latest_start",
            ),
            models.UniqueConstraint(
                fields=["plan", "approver"], name="one_decision_a_person_a_plan"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} by {self.approver_id}: {self.plan}"


class ApprovalUse(models.Model):
    """An approval was used up by the start of its job: once, ever."""

    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="use")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="+")
    fence = models.PositiveBigIntegerField()
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"approval {self.approval_id} used by J-{self.job_id}"


class JobStep(models.Model):
    """How far one step of the plan is. ``before`` is the plan's; this row never says what was before."""

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="steps")
    planned = models.OneToOneField(PlanStep, on_delete=models.PROTECT, related_name="run")
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=StepState, default=StepState.TO_DO)
    # The target's clock (or another mark) when the intent was written; evidence must be newer.
    mark = models.JSONField(null=True)
    intent_at = models.DateTimeField(null=True)
    # The fields that the first intent found to be closed; by them the step's own doing is told apart.
    asked = models.JSONField(default=list)
    # An attempt's answer was lost: its effect may still come.
    in_doubt = models.BooleanField(default=False)
    # When that answer was lost: from then on it is waited for.
    doubted_at = models.DateTimeField(null=True)
    # Set when change() returned: from then on only looks follow.
    sent_at = models.DateTimeField(null=True)
    # Why change() gave up, as a failure; from then on only looks follow.
    refusal = models.JSONField(null=True)
    after = models.JSONField(default=dict)
    shown = models.JSONField(default=dict)
    # What this step made for later ones: a profile's id.
    made = models.JSONField(default=dict)
    changed = models.BooleanField(default=False)
    # Passing errors in a row, and since when.
    attempts = models.PositiveSmallIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    lost_workers = models.PositiveSmallIntegerField(default=0)
    # Verified in an earlier run of the same job; looked at again, never changed again.
    was_verified = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="job_step_position_once")
        ]

    def __str__(self) -> str:
        return f"J-{self.job_id} step {self.position}"

    @property
    def seconds(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


class LogLine(models.Model):
    """What the worker says while it works; secrets are never in it."""

    class Level(models.TextChoices):
        HEAD = "head", "Step"
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="log")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    position = models.PositiveSmallIntegerField(null=True)
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "seq"], name="log_line_seq_once")]

    def __str__(self) -> str:
        return f"J-{self.job_id} #{self.seq}"


class CheckResult(models.Model):
    """What one check found for one job, with its age."""

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="checks")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=64)
    group = models.CharField(max_length=64)
    title = models.CharField(max_length=160)
    verdict = models.CharField(max_length=12, choices=Verdict)
    finding = models.TextField()
    evidence = models.JSONField(default=dict)
    fix = models.TextField(blank=True)
    source = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="check_once_a_job")]

    def __str__(self) -> str:
        return f"{self.key}: {self.verdict}"


class ResourceLock(models.Model):
    """One outside resource, held by one job from its start to the last step that names it."""

    resource = models.CharField(max_length=160, primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="locks")
    taken_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.resource} held by J-{self.job_id}"


class Duty(models.Model):
    """Something the watch does again and again: a row with a due time, claimed like a job."""

    name = models.SlugField(max_length=48, primary_key=True)
    every_s = models.PositiveIntegerField()
    due_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(null=True)
    last_result = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


def failure_of(message: str, **parts: Any) -> dict[str, Any]:
    """Shape the ``failure`` of a job: message, code, state_now, fix, detail; empty parts left out."""
    return {"message": message} | {key: value for key, value in parts.items() if value}
