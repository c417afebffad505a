from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from portal.access.models import Scope


class Secret(models.Model):
    """One version of one secret. A replacement is a new row; plans name the row, so it voids them.

    A data key of its own encrypts the value (AES-256-GCM); the data key is sealed to the workers (HPKE).
    Both are bound to this row's id, label, scope and kind: moved to another row they do not open.
    """

    class Kind(models.TextChoices):
        JOB = "job", "Job secret: gone a day after its job"
        CONNECTION = "connection", "Connection secret: stays, rotates"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    label = models.CharField(max_length=64)
    scope = models.ForeignKey(Scope, null=True, on_delete=models.PROTECT, related_name="+")
    key_id = models.CharField(max_length=16)
    sealed_data_key = models.BinaryField(null=True)
    ciphertext = models.BinaryField(null=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    destroy_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(destroyed_at=None) | Q(sealed_data_key=None, ciphertext=None),
                name="destroyed_secret_holds_nothing",
            )
        ]
        indexes = [
            models.Index(
                fields=["destroy_at"], condition=Q(destroyed_at=None), name="secret_to_destroy"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.kind} secret {self.pk})"

    @property
    def binding(self) -> bytes:
        """What both layers of encryption are tied to."""
        return "|".join(
            ("vault.secret", str(self.pk), self.kind, self.label, str(self.scope_id or ""))
        ).encode()
