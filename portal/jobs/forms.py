from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q

from portal.access.models import Scope
from portal.forms import Form
from portal.jobs import plans
from portal.jobs.actions import sending_of
from portal.jobs.models import JobQuerySet, Plan
from portal.jobs.states import AT_CHECKS, AT_WORK, EDITABLE, FINAL, JobState

_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class SendForm(Form):
    """What a requester says when the plan goes to the approvers."""

    NOW, WINDOW = "now", "window"

    reason = forms.CharField(
        label="Why is this needed?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why this is needed: the approver decides by it."},
    )
    ticket = forms.CharField(label="Change ticket", max_length=64, required=False)
    when = forms.ChoiceField(
        label="When may it run?",
        choices=[(NOW, "As soon as it is approved"), (WINDOW, "In a change window")],
        initial=NOW,
        widget=forms.RadioSelect,
    )
    starts_at = forms.DateTimeField(label="Window starts", required=False, widget=_MOMENT)
    ends_at = forms.DateTimeField(
        label="Window ends", required=False, widget=_MOMENT, help_text="At most 7 days ahead."
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("when") == self.WINDOW:
            for name in ("starts_at", "ends_at"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, "Say when.")
        return cleaned

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        if self.cleaned_data["when"] == self.NOW:
            return None
        return self.cleaned_data["starts_at"], self.cleaned_data["ends_at"]


class ApproveForm(Form):
    """An approver's yes to exactly one plan. The action compares the proof, where the plan asks for one."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    sent = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)
    proof = forms.CharField(
        label="Last characters of the thumbprint",
        help_text="Read them from the message of whoever issued the certificate, not from this page.",
        max_length=16,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono w-s"}
        ),
        error_messages={"required": "Type the last characters of the thumbprint."},
    )
    comment = forms.CharField(
        label="Comment",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, plan: Plan, data: Any = None) -> None:
        super().__init__(data, initial={"digest": plan.digest, "sent": sending_of(plan.job)})
        if not plan.proof:
            del self.fields["proof"]


class TurnDownForm(Form):
    """An approver's no, or not yet: always with a comment."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    comment = forms.CharField(
        label="Comment",
        help_text="The requester reads it.",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what is to be changed."},
    )


class SettleForm(Form):
    """What a person found at the system itself, where no look can tell what became of a change."""

    found = forms.CharField(
        label="What is there now?",
        help_text="At least 10 characters: what of this step is there, what is not, and how you looked.",
        min_length=10,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what you found."},
    )


_STATES: dict[str, tuple[str, tuple[JobState, ...]]] = {
    "open": ("Open", ()),
    "writing": ("Drafts and checks", EDITABLE + AT_CHECKS),
    "deciding": ("Awaiting approval", (JobState.AWAITING_APPROVAL,)),
    "working": ("At work", (*AT_WORK, JobState.CANCELLING)),
    "attention": (
        "Needs attention",
        (
            JobState.FAILED,
            JobState.PLAN_STALE,
            JobState.PARTLY_SUCCEEDED,
            JobState.OUTCOME_UNKNOWN,
            JobState.NEEDS_PERSON,
            JobState.CHANGES_REQUESTED,
        ),
    ),
    "done": ("Succeeded", (JobState.SUCCEEDED,)),
    "ended": ("Ended", FINAL),
}


class JobFilter(Form):
    """Which jobs the list shows; it lives in the address, so it can be shared."""

    state = forms.ChoiceField(label="State", required=False)
    kind = forms.ChoiceField(label="Kind", required=False)
    scope = forms.ModelChoiceField(
        label="Organization",
        queryset=Scope.objects.none(),
        required=False,
        empty_label="All",
        to_field_name="slug",
    )
    mine = forms.BooleanField(label="Asked by me", required=False)

    def __init__(self, data: Any, scopes: Any) -> None:
        super().__init__(data)
        self.fields["state"].choices = [  # type: ignore[attr-defined]
            ("", "All"),
            *((key, words) for key, (words, _) in _STATES.items()),
        ]
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            ("", "All"),
            *((kind.slug, kind.title) for kind in plans.kinds()),
        ]
        self.fields["scope"].queryset = scopes  # type: ignore[attr-defined]

    def keep(self, jobs: JobQuerySet, person: object) -> JobQuerySet:
        """Keep what is asked for; what the address asks wrongly counts as not asked."""
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("state") == "open":
            jobs = jobs.unfinished()
        elif asked.get("state"):
            jobs = jobs.filter(state__in=_STATES[asked["state"]][1])
        if asked.get("kind"):
            jobs = jobs.filter(kind=asked["kind"])
        if asked.get("scope"):
            jobs = jobs.filter(scope=asked["scope"])
        return jobs.filter(Q(requester=person)) if asked.get("mine") else jobs

    @property
    def is_on(self) -> bool:
        return any(self.cleaned_data.values())


class LogFilter(Form):
    """What to find in a job's log, over all its steps."""

    q = forms.CharField(label="Find in log", max_length=200, required=False, strip=True)
    problems = forms.BooleanField(label="Problems only", required=False)
