from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from portal.access.models import Person, Scope


class EntryQuerySet(models.QuerySet["Entry"]):
    """Lines of history, kept to those that somebody may read."""

    def for_person(self, person: Person) -> EntryQuerySet:
        """Keep the entries of scopes this person answers for; entries of no scope are for auditors and admins."""
        if not person.is_active:
            return self.none()
        visible = models.Q(scope__in=Scope.objects.for_person(person))
        everywhere = person.grants.filter(scope=None, role__in=["auditor", "admin"]).exists()
        return self.filter(visible | models.Q(scope=None)) if everywhere else self.filter(visible)


class Entry(models.Model):
    """One line of history. Rows are added, never changed or deleted: a trigger refuses.

    Who and what stand as ids, so a person's name can go while the line stays.
    """

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Which process wrote it: a page, a command, or a worker carrying an approved plan out.
    via = models.CharField(max_length=16)
    event = models.CharField(max_length=64)
    subject = models.CharField(max_length=96)
    scope = models.ForeignKey(Scope, null=True, on_delete=models.PROTECT, related_name="+")
    job_number = models.PositiveBigIntegerField(null=True)
    request_number = models.CharField(max_length=36, blank=True)
    detail = models.JSONField(default=dict)

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["scope", "-id"], name="entry_by_scope"),
            models.Index(fields=["job_number", "id"], name="entry_by_job"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.event} {self.subject}"
