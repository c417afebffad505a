from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from portal.access.models import Person, RoleGrant, Scope
from portal.audit import events
from portal.audit.models import EntryQuerySet
from portal.forms import Form

_DAY = forms.DateInput(attrs={"type": "date"})


class HistoryFilter(Form):
    """Which lines of the history are shown; it lives in the address, so it can be shared."""

    job = forms.CharField(
        label="Job",
        required=False,
        max_length=24,
        widget=forms.TextInput(attrs={"placeholder": "J-1042", "size": 10}),
    )
    event = forms.ChoiceField(label="Event", required=False)
    person = forms.ModelChoiceField(
        label="Person",
        queryset=Person.objects.none(),
        required=False,
        empty_label="Everybody",
        to_field_name="username",
    )
    scope = forms.ModelChoiceField(
        label="Organization",
        queryset=Scope.objects.none(),
        required=False,
        empty_label="All",
        to_field_name="slug",
    )
    since = forms.DateField(label="From", required=False, widget=_DAY)
    until = forms.DateField(label="To", required=False, widget=_DAY)

    def __init__(self, data: Any, scopes: Any) -> None:
        super().__init__(data)
        groups: dict[str, list[tuple[str, str]]] = {}
        for event, words in events.catalogue().items():
            groups.setdefault(event.partition(".")[0].capitalize(), []).append((event, words))
        self.fields["event"].choices = [("", "All"), *groups.items()]  # type: ignore[attr-defined]
        self.fields["scope"].queryset = scopes  # type: ignore[attr-defined]
        held = RoleGrant.objects.filter(Q(scope=None) | Q(scope__in=scopes))
        self.fields["person"].queryset = Person.objects.filter(  # type: ignore[attr-defined]
            pk__in=held.values("person")
        ).order_by("name")

    def clean_job(self) -> int | None:
        text = self.cleaned_data["job"]
        found = re.fullmatch(r"\s*(?:[Jj]-?)?([0-9]{1,18})\s*", text)
        if text and not found:
            raise forms.ValidationError("Write it like J-1042.")
        return int(found.group(1)) if found else None

    def keep(self, entries: EntryQuerySet) -> EntryQuerySet:
        """Keep what is asked for; a field that is filled in wrongly shows its error and keeps all."""
        self.is_valid()
        asked = self.cleaned_data
        for name, column in (
            ("job", "job_number"),
            ("event", "event"),
            ("person", "actor"),
            ("scope", "scope"),
        ):
            if asked.get(name):
                entries = entries.filter(**{column: asked[name]})
        if asked.get("since"):
            entries = entries.filter(at__gte=_start_of(asked["since"]))
        if asked.get("until"):
            entries = entries.filter(at__lt=_start_of(asked["until"] + timedelta(days=1)))
        return entries

    @property
    def is_on(self) -> bool:
        return any(self.cleaned_data.values())


def _start_of(day: date) -> datetime:
    """Give the first instant of a day in the reader's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
