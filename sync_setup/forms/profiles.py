from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms

from portal.forms import Form
from sync_setup.plans import PROFILE_NAME
from sync_setup.presentation.profiles import OPTIONS, RETRIEVAL
from sync_setup.server_profiles import COMPARED, FIXED, LABELS, OWNER, RECEIVED_AFTER, STATE

# The kind decides what the other fields mean, the state has buttons of its own, and whose a
# profile is, is changed in Dynamics.
NOT_HERE = ("servertype", STATE, OWNER)
CHANGEABLE = tuple(name for name in COMPARED if name not in NOT_HERE)
_WIDE = {"class": "w-full", "spellcheck": "false", "autocapitalize": "off"}
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ProfileForm(Form):
    """The fields of one email server profile, as last read; only what differs goes into the plan."""

    def __init__(self, fields: Mapping[str, Any], data: Any = None) -> None:
        super().__init__(data)
        for name in CHANGEABLE:
            self.fields[name] = _field(name, is_set=fields.get(name) is not None)
            self.initial[name] = _shown(name, fields.get(name))

    @property
    def values(self) -> dict[str, Any]:
        """Give what was changed, in the form in which Dynamics has it."""
        return {name: _kept(self.cleaned_data[name]) for name in self.changed_data}


def _field(name: str, *, is_set: bool) -> forms.Field:
    """Make the form's field; what Dynamics has no value for may stay without one."""
    label = LABELS[name]
    if name in OPTIONS:
        unset = [] if is_set else [("", "not set")]
        choices = [*unset, *RETRIEVAL.items()]
        return forms.TypedChoiceField(
            label=label, choices=choices, coerce=int, required=is_set, empty_value=None
        )
    match FIXED.get(name):
        case bool():
            return forms.BooleanField(label=label, required=False)
        case int():
            return forms.IntegerField(
                label=label,
                required=is_set,
                min_value=1,
                max_value=65535,
                widget=forms.NumberInput(attrs={"class": "w-s"}),
            )
    if name == RECEIVED_AFTER:
        return forms.DateTimeField(
            label=label, required=False, widget=_MOMENT, help_text="Older mail is left alone."
        )
    longest = 100 if name == "name" else 200
    widget = forms.TextInput(attrs=_WIDE)
    return forms.CharField(label=label, required=is_set, max_length=longest, widget=widget)


def _shown(name: str, value: Any) -> Any:
    if name != RECEIVED_AFTER or not value:
        return value
    # The page asks for minutes; seconds would count as a change.
    return datetime.fromisoformat(str(value)).astimezone(UTC).replace(second=0, microsecond=0)


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


class NewProfileForm(Form):
    """What a person chooses of a new profile; everything else is as a setup makes it."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        initial=PROFILE_NAME,
        widget=forms.TextInput(attrs={"class": "w-full"}),
    )
    profile_owner = forms.CharField(
        label="Owner",
        help_text="Gets the alerts: domain name or address of a person. Empty: the portal's own user.",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs=_WIDE),
    )
