from __future__ import annotations

from typing import Any

from django import forms

from portal.access.models import Scope
from portal.forms import Form
from portal.jobs import plans
from portal.jobs.policy import EVERY_KIND

_REAL = ((1, "One person"), (2, "Two people"))
_NOBODY = (0, "Nobody else (one-person mode, simulated systems only)")


class PolicyForm(Form):
    """How many people approve plans of one kind, or of every kind."""

    kind = forms.ChoiceField(label="Kind of change", required=False)
    approvers = forms.TypedChoiceField(label="Who approves", coerce=int, widget=forms.RadioSelect)

    def __init__(self, scope: Scope, data: Any = None) -> None:
        super().__init__(data)
        kinds = [(kind.slug, kind.title) for kind in plans.kinds() if kind.has_policy]
        self.fields["kind"].choices = [("", EVERY_KIND), *kinds]  # type: ignore[attr-defined]
        # The action refuses nobody where anything is real; it is not even offered there.
        choices = (*_REAL, _NOBODY) if scope.is_simulated else _REAL
        self.fields["approvers"].choices = choices  # type: ignore[attr-defined]
