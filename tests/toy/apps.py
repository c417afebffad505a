from __future__ import annotations

from django.apps import AppConfig


class ToyConfig(AppConfig):
    name = "tests.toy"
    label = "toy"

    def ready(self) -> None:
        from portal.jobs import plans
        from tests.toy import tasks  # noqa: F401 -- registers the task
        from tests.toy.plan import Blind, Names, Sides, Toy, Trial

        for kind in (Toy(), Sides(), Blind(), Names(), Trial()):
            plans.register(kind)
