from __future__ import annotations

from django.apps import AppConfig


class SyncSetupConfig(AppConfig):
    name = "sync_setup"

    def ready(self) -> None:
        from portal.jobs import plans
        from sync_setup import events, navigation  # noqa: F401
        from sync_setup.plans import KINDS

        for kind in KINDS:
            plans.register(kind)
        navigation.register()
