from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"

    def ready(self) -> None:
        from portal.audit import append_only

        append_only.protect("audit_entry")
        pre_migrate.connect(append_only.lift_before_migrate, sender=self)
        post_migrate.connect(append_only.install_after_migrate, sender=self)
